-- The built-in ledger's own tables; nothing else writes them.

-- name: ledger_make_book(name, identity, now)!
insert into ledger_books (name, identity, made_at, last_at) values (:name, :identity, :now, :now)
on conflict (name) do nothing;

-- name: ledger_book(name)^
select id, name, identity, made_at from ledger_books where name = :name;

-- name: ledger_books()
select id, name, identity, made_at from ledger_books order by name;

-- name: ledger_lock_book(book_id)^
-- Whoever writes waits here, so that sequences are in the order of commits.
select sequence, last_at from ledger_books where id = :book_id for update;

-- name: ledger_advance_book(book_id, sequence, last_at)!
update ledger_books set sequence = :sequence, last_at = :last_at where id = :book_id;

-- name: ledger_next_sequence(book_id)!
update ledger_books set sequence = sequence + 1 where id = :book_id;

-- name: ledger_request(book_id, key)^
select fingerprint from ledger_requests where book_id = :book_id and key = :key;

-- name: ledger_write_request(book_id, key, fingerprint, now)!
insert into ledger_requests (book_id, key, fingerprint, at) values (:book_id, :key, :fingerprint, :now);

-- name: ledger_entries_of_request(book_id, key)
select sequence, sku, location, label, kind, asked, delta, quantity, owed, outcome, reason, actor, reference, key, line,
       as_of, booked_at
from ledger_entries where book_id = :book_id and key = :key order by line;

-- name: ledger_cells(book_id, skus, locations, labels)
-- What is known of each of these cells, in the order asked.
select i.tracked, i.archived, p.key is not null as location_known, t.negative,
       l.on_hand, l.owed, l.counted_at, l.changed_at, l.sequence
from unnest(:skus::text[], :locations::text[], :labels::text[]) with ordinality as u (sku, location, label, n)
left join ledger_items i on i.book_id = :book_id and i.sku = u.sku
left join ledger_locations p on p.book_id = :book_id and p.key = u.location
left join ledger_labels t on t.book_id = :book_id and t.name = u.label
left join ledger_levels l
  on l.book_id = :book_id and l.sku = u.sku and l.location = u.location and l.label = u.label
order by u.n;

-- name: ledger_later(book_id, skus, locations, labels, times)
-- The units booked in each cell for times after the given one, in the order asked.
select coalesce((select sum(e.delta) from ledger_entries e
                 where e.book_id = :book_id and e.sku = u.sku and e.location = u.location and e.label = u.label
                   and e.as_of > u.at), 0)::bigint as units
from unnest(:skus::text[], :locations::text[], :labels::text[], :times::timestamptz[])
  with ordinality as u (sku, location, label, at, n)
order by u.n;

-- name: ledger_write_entries(book_id, sequences, skus, locations, labels, kinds, asked, deltas, quantities, owed, outcomes, reasons, actor, references, key, as_of, booked)!
insert into ledger_entries (book_id, sequence, sku, location, label, kind, asked, delta, quantity, owed, outcome,
                            reason, actor, reference, key, line, as_of, booked_at)
select :book_id, u.sequence, u.sku, u.location, u.label, u.kind, u.asked, u.delta, u.quantity, u.owed, u.outcome,
       u.reason, :actor, u.reference, :key, u.n - 1, u.as_of, u.booked
from unnest(:sequences::bigint[], :skus::text[], :locations::text[], :labels::text[], :kinds::text[], :asked::int[],
            :deltas::int[], :quantities::int[], :owed::int[], :outcomes::text[], :reasons::text[], :references::text[],
            :as_of::timestamptz[], :booked::timestamptz[])
  with ordinality as u (sequence, sku, location, label, kind, asked, delta, quantity, owed, outcome, reason, reference,
                        as_of, booked, n)
order by u.n;

-- name: ledger_write_levels(book_id, skus, locations, labels, on_hand, owed, counted, changed, sequences)!
insert into ledger_levels (book_id, sku, location, label, on_hand, owed, counted_at, changed_at, sequence)
select :book_id, u.sku, u.location, u.label, u.on_hand, u.owed, u.counted, u.changed, u.sequence
from unnest(:skus::text[], :locations::text[], :labels::text[], :on_hand::int[], :owed::int[], :counted::timestamptz[],
            :changed::timestamptz[], :sequences::bigint[])
  as u (sku, location, label, on_hand, owed, counted, changed, sequence)
on conflict (book_id, sku, location, label) do update set
  on_hand = excluded.on_hand, owed = excluded.owed, counted_at = excluded.counted_at,
  changed_at = excluded.changed_at, sequence = excluded.sequence;

-- name: ledger_put_items(book_id, skus, names, barcodes, tracked, archived, now)
-- New and changed items; what is the same already is left alone and not returned.
insert into ledger_items as i (book_id, sku, name, barcode, tracked, archived, changed_at)
select :book_id, u.sku, u.name, u.barcode, u.tracked, u.archived, :now
from unnest(:skus::text[], :names::text[], :barcodes::text[], :tracked::bool[], :archived::bool[])
  as u (sku, name, barcode, tracked, archived)
on conflict (book_id, sku) do update set
  name = excluded.name, barcode = excluded.barcode, tracked = excluded.tracked, archived = excluded.archived,
  changed_at = excluded.changed_at
where (i.name, i.barcode, i.tracked, i.archived)
  is distinct from (excluded.name, excluded.barcode, excluded.tracked, excluded.archived)
returning i.sku as key;

-- name: ledger_known_items(book_id, skus)
select sku as key from ledger_items where book_id = :book_id and sku = any(:skus::text[]);

-- name: ledger_put_locations(book_id, keys, names, active, now)
insert into ledger_locations as p (book_id, key, name, active, changed_at)
select :book_id, u.key, u.name, u.active, :now
from unnest(:keys::text[], :names::text[], :active::bool[]) as u (key, name, active)
on conflict (book_id, key) do update set
  name = excluded.name, active = excluded.active, changed_at = excluded.changed_at
where (p.name, p.active) is distinct from (excluded.name, excluded.active)
returning p.key;

-- name: ledger_known_locations(book_id, keys)
select key from ledger_locations where book_id = :book_id and key = any(:keys::text[]);

-- name: ledger_put_labels(book_id, names, negative, now)
insert into ledger_labels as t (book_id, name, negative, changed_at)
select :book_id, u.name, u.negative, :now
from unnest(:names::text[], :negative::bool[]) as u (name, negative)
on conflict (book_id, name) do update set negative = excluded.negative, changed_at = excluded.changed_at
where t.negative is distinct from excluded.negative
returning t.name as key;

-- name: ledger_known_labels(book_id, names)
select name as key from ledger_labels where book_id = :book_id and name = any(:names::text[]);

-- name: ledger_items_after(book_id, after, limit)
select sku, name, barcode, tracked, archived from ledger_items
where book_id = :book_id and sku > :after order by sku limit :limit;

-- name: ledger_items_of(book_id, skus)
select sku, name, barcode, tracked, archived from ledger_items
where book_id = :book_id and sku = any(:skus::text[]) order by sku;

-- name: ledger_locations(book_id)
select key, name, active from ledger_locations where book_id = :book_id order by key;

-- name: ledger_labels(book_id)
select name, negative from ledger_labels where book_id = :book_id order by name;

-- name: ledger_sequence_before(book_id, since)$
-- The newest sequence booked before a time: whatever was booked since has a higher one.
select coalesce((select sequence from ledger_entries where book_id = :book_id and booked_at < :since
                 order by booked_at desc, sequence desc limit 1), 0);

-- name: ledger_levels(book_id, after, label, location, skus, limit)
-- Levels by the sequence of their last change; what changes while pages are read comes again behind them.
select sku, location, label, on_hand, owed, changed_at, sequence from ledger_levels
where book_id = :book_id and sequence > :after
  and (:label::text is null or label = :label) and (:location::text is null or location = :location)
  and (:skus::text[] is null or sku = any(:skus::text[]))
order by sequence limit :limit;

-- name: ledger_entries(book_id, after, sku, location, label, reference, limit)
select sequence, sku, location, label, kind, asked, delta, quantity, owed, outcome, reason, actor, reference, key, line,
       as_of, booked_at
from ledger_entries
where book_id = :book_id and sequence > :after
  and (:sku::text is null or sku = :sku) and (:location::text is null or location = :location)
  and (:label::text is null or label = :label) and (:reference::text is null or reference = :reference)
order by sequence limit :limit;

-- name: ledger_listeners(book_id, label)
-- The connections of this installation that keep this book, and the label each of them reads.
select c.id, coalesce(c.settings ->> 'label', :label) as label
from connections c join ledger_books b on b.name = c.name
where b.id = :book_id and c.system = 'builtin' and c.state <> 'unlinked' and c.state_code <> 'removed'
  and coalesce(c.settings ->> 'base_url', 'builtin:') = 'builtin:'
order by c.id;

-- name: ledger_make_key(book_id, name, prefix, hash, scope, made_by, now)$
insert into ledger_keys (book_id, name, prefix, hash, scope, made_by, made_at)
values (:book_id, :name, :prefix, :hash, :scope, :made_by, :now)
on conflict (book_id, name) where revoked_at is null do nothing
returning id;

-- name: ledger_keys(book_id)
select name, prefix, scope, made_by, made_at, used_at, revoked_at from ledger_keys
where book_id = :book_id order by made_at, id;

-- name: ledger_key(prefix)^
select k.id, k.name, k.hash, k.scope, k.used_at, b.id as book_id, b.name as book, b.identity, b.made_at
from ledger_keys k join ledger_books b on b.id = k.book_id
where k.prefix = :prefix and k.revoked_at is null;

-- name: ledger_key_used(id, now)!
update ledger_keys set used_at = :now where id = :id;

-- name: ledger_revoke_key(book_id, name, now)$
update ledger_keys set revoked_at = :now where book_id = :book_id and name = :name and revoked_at is null
returning prefix;

-- name: ledger_make_hook(book_id, url, secret, made_by, now)$
-- A new webhook tells what changes from now on.
insert into ledger_hooks (book_id, url, secret, cursor, made_by, made_at)
select b.id, :url, :secret, b.sequence, :made_by, :now from ledger_books b where b.id = :book_id
on conflict (book_id, url) where removed_at is null do nothing
returning id;

-- name: ledger_hooks(book_id)
select h.id, h.url, h.made_by, h.made_at, h.cursor, d.attempts, d.answer, d.due_at
from ledger_hooks h left join ledger_deliveries d on d.hook_id = h.id and d.state = 'waiting'
where h.book_id = :book_id and h.removed_at is null order by h.id;

-- name: ledger_remove_hook(book_id, id, now)$
with gone as (
  update ledger_hooks set removed_at = :now where book_id = :book_id and id = :id and removed_at is null
  returning id, url),
ended as (
  update ledger_deliveries d set state = 'given_up', ended_at = :now, answer = 'the webhook was removed'
  from gone where d.hook_id = gone.id and d.state = 'waiting')
select url from gone;

-- name: ledger_hook_behind(hook_limit)
-- Webhooks that have something to tell and nothing under way, the one that waited longest first.
select h.id, h.book_id, h.cursor, b.name as book, b.identity, b.sequence
from ledger_hooks h join ledger_books b on b.id = h.book_id
where h.removed_at is null and b.sequence > h.cursor
  and not exists (select 1 from ledger_deliveries d where d.hook_id = h.id and d.state = 'waiting')
order by h.cursor, h.id limit :hook_limit for update of h skip locked;

-- name: ledger_move_hook(id, cursor)!
update ledger_hooks set cursor = :cursor where id = :id;

-- name: ledger_make_delivery(id, hook_id, cursor, body, now)!
insert into ledger_deliveries (id, hook_id, cursor, body, made_at, due_at)
values (:id, :hook_id, :cursor, :body, :now, :now);

-- name: ledger_take_delivery(now, claimed_until)^
-- One delivery that is due, claimed so that another replica leaves it alone meanwhile.
update ledger_deliveries d set attempts = d.attempts + 1, due_at = :claimed_until
from ledger_hooks h join ledger_books b on b.id = h.book_id
where d.id = (select id from ledger_deliveries where state = 'waiting' and due_at <= :now
              order by due_at, id limit 1 for update skip locked)
  and h.id = d.hook_id
returning d.id, d.hook_id, d.body, d.attempts, d.made_at, h.url, h.secret, b.identity;

-- name: ledger_end_delivery(id, attempts, state, answer, now)!
update ledger_deliveries set state = :state, answer = :answer, ended_at = :now
where id = :id and attempts = :attempts and state = 'waiting';

-- name: ledger_postpone_delivery(id, attempts, answer, due_at)!
update ledger_deliveries set answer = :answer, due_at = :due_at
where id = :id and attempts = :attempts and state = 'waiting';

-- name: ledger_next_delivery()$
select min(due_at) from ledger_deliveries where state = 'waiting';

-- name: ledger_drop_deliveries(before)$
with gone as (delete from ledger_deliveries where state <> 'waiting' and ended_at < :before returning 1)
select count(*) from gone;

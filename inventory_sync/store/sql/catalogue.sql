-- name: put_locations(connection_id, keys, names, active, mappable, notes)!
insert into locations (connection_id, key, name, active, mappable, note)
select :connection_id, u.key, u.name, u.active, u.mappable, u.note
from unnest(:keys::text[], :names::text[], :active::bool[], :mappable::bool[], :notes::text[])
  as u (key, name, active, mappable, note)
on conflict (connection_id, key) do update set name = excluded.name, active = excluded.active,
  mappable = excluded.mappable, note = excluded.note;

-- name: locations_absent(connection_id, keys)!
update locations set active = false, note = 'no longer listed' where connection_id = :connection_id and key <> all(:keys::text[]);

-- name: locations_of(connection_id)
select id, key, name, active, mappable, note from locations where connection_id = :connection_id order by id;

-- name: put_items(connection_id, import_id, keys, codes, names, tracked, bundles, statuses, groups)
-- Keep a page of the catalogue; says which items are new or have changed in what matters for matching and writing.
with page as (
  select * from unnest(:keys::text[], :codes::jsonb[], :names::text[], :tracked::bool[], :bundles::bool[],
                       :statuses::text[], :groups::text[]) as u (key, codes, name, tracked, bundle, status, group_key)),
old as (
  select i.key from items i join page p on p.key = i.key
  where i.connection_id = :connection_id and i.codes = p.codes and i.tracked = p.tracked and i.bundle = p.bundle
    and not i.gone),
kept as (
  insert into items (connection_id, key, codes, name, tracked, bundle, status, group_key, import_id)
  select :connection_id, p.key, p.codes, p.name, p.tracked, p.bundle, p.status, p.group_key, :import_id from page p
  order by p.key
  on conflict (connection_id, key) do update set codes = excluded.codes, name = excluded.name,
    tracked = excluded.tracked, bundle = excluded.bundle, status = excluded.status, group_key = excluded.group_key,
    import_id = excluded.import_id, gone = false
  returning id, key)
select k.id from kept k where k.key not in (select key from old) order by k.id;

-- name: items_not_seen(connection_id, import_id)$
-- How many items a finished import did not contain.
select count(*) from items where connection_id = :connection_id and import_id <> :import_id and not gone;

-- name: count_items(connection_id)$
select count(*) from items where connection_id = :connection_id and not gone;

-- name: items_gone_after(connection_id, import_id)$
with gone as (
  update items set gone = true where connection_id = :connection_id and import_id <> :import_id and not gone returning 1)
select count(*) from gone;

-- name: items_gone(connection_id, keys)$
with gone as (
  update items set gone = true where connection_id = :connection_id and not gone
    and (key = any(:keys::text[]) or group_key = any(:keys::text[])) returning 1)
select count(*) from gone;

-- name: groups_left(connection_id, groups, keys)$
-- Items of refreshed products that the refresh no longer contained are gone.
with gone as (
  update items set gone = true where connection_id = :connection_id and not gone and group_key = any(:groups::text[])
    and key <> all(:keys::text[]) returning 1)
select count(*) from gone;

-- name: end_import(connection_id, import_id, now)!
update connections set catalogue_import = :import_id, catalogue_at = :now where id = :connection_id;

-- name: match_values(connection_id, fields)
-- What can be matched: items that exist, with the exact value of each field in order, null where there is none.
select id, array(select codes ->> u.field from unnest(:fields::text[]) with ordinality as u (field, n) order by u.n) as values,
       name, tracked, bundle
from items where connection_id = :connection_id and not gone order by id;

-- name: make_cells(route_id, channel_items, ledger_items, now)!
-- A cell for each side of each matched item at each mapped location, to be read.
with matched as (select * from unnest(:channel_items::bigint[], :ledger_items::bigint[]) as u (channel_item, ledger_item)),
wanted as (
  select lp.channel_id as connection_id, m.channel_item as item_id, lp.channel_location as location_id
  from matched m cross join location_pairs lp where lp.route_id = :route_id
  union
  select lp.ledger_id, m.ledger_item, lp.ledger_location
  from matched m cross join location_pairs lp where lp.route_id = :route_id)
insert into cells (connection_id, item_id, location_id, dirty_since, marked_at, read_due)
select connection_id, item_id, location_id, :now, :now, :now from wanted order by item_id, location_id
on conflict (item_id, location_id) do nothing;

-- name: suspend_unfit(route_id, channel_items, ledger_items, ratios, shapes, now)$
-- Pairs that are made of anything else than what today's match and places say are written no more.
with parts as (
  select * from unnest(:channel_items::bigint[], :ledger_items::bigint[], :ratios::int[], :shapes::text[])
    as u (channel_item, ledger_item, ratio, shape)),
wanted as (
  select cc.id as channel_cell, lc.id as ledger_cell, m.ratio, m.shape, lp.intake
  from parts m join location_pairs lp on lp.route_id = :route_id
  join cells cc on cc.item_id = m.channel_item and cc.location_id = lp.channel_location
  join cells lc on lc.item_id = m.ledger_item and lc.location_id = lp.ledger_location),
ours as (select id, channel_cell, shape from pairs where route_id = :route_id and phase <> 'suspended'),
unfit as (
  select o.id from ours o join components k on k.pair_id = o.id
  left join wanted w on w.channel_cell = o.channel_cell and w.ledger_cell = k.ledger_cell
  where (w.ratio, w.intake, w.shape) is distinct from (k.ratio, k.intake, o.shape)
  union
  select o.id from wanted w join ours o on o.channel_cell = w.channel_cell
  where not exists (select 1 from components k where k.pair_id = o.id and k.ledger_cell = w.ledger_cell)),
locked as (select p.id from pairs p join unfit u on u.id = p.id order by p.id for update of p),
done as (
  update pairs p set phase = 'suspended', phase_reason = 'unmatched', phase_since = :now from locked where locked.id = p.id
  returning 1)
select count(*) from done;

-- name: make_pairs(route_id, items, values, shapes, now)
-- A pair for each matched item at each mapped location; a cell that has a pair keeps it. A suspended one of this route
-- comes back as a new pair, once nothing that it sent to the ledger is under way.
with matched as (
  select * from unnest(:items::bigint[], :values::text[], :shapes::text[]) as u (item_id, value, shape)),
wanted as (
  select distinct cc.id as channel_cell, m.value, m.shape
  from matched m join location_pairs lp on lp.route_id = :route_id
  join cells cc on cc.item_id = m.item_id and cc.location_id = lp.channel_location)
insert into pairs (route_id, channel_cell, value, shape, phase, phase_since, made_at)
select :route_id, w.channel_cell, w.value, w.shape, 'new', :now, :now from wanted w order by w.channel_cell
on conflict (channel_cell) do update set phase = 'new', phase_reason = 'matched again', phase_since = excluded.phase_since,
  value = excluded.value, shape = excluded.shape, kept = 0
  where pairs.route_id = excluded.route_id and pairs.phase = 'suspended' and not exists (
    select 1 from components k where k.pair_id = pairs.id and (k.sent_down <> 0 or k.sent_up <> 0))
returning id;

-- name: relink_components(route_id, pairs, channel_items, ledger_items, ratios)$
-- Pairs made just now are made of the ledger cells of today's match. What a ledger cell was owed stays owed to it where
-- it stays; what was owed to cells that take movements no more is owed to those that take them from now on. Says how
-- many pairs owed something to a cell in whose place none comes.
with parts as (
  select * from unnest(:channel_items::bigint[], :ledger_items::bigint[], :ratios::int[]) as u (channel_item, ledger_item, ratio)),
wanted as (
  select p.id as pair_id, lc.id as ledger_cell, m.ratio, lp.intake
  from parts m join location_pairs lp on lp.route_id = :route_id
  join cells cc on cc.item_id = m.channel_item and cc.location_id = lp.channel_location
  join cells lc on lc.item_id = m.ledger_item and lc.location_id = lp.ledger_location
  join pairs p on p.channel_cell = cc.id and p.id = any(:pairs::bigint[])),
old as (
  select k.pair_id, k.ledger_cell, k.intake, k.owed_down, k.owed_up, k.expected, coalesce(w.intake, false) as stays
  from components k left join wanted w on w.pair_id = k.pair_id and w.ledger_cell = k.ledger_cell
  where k.pair_id = any(:pairs::bigint[])),
freed as (
  select pair_id, min(owed_down) filter (where not stays) as owed_down, min(owed_up) filter (where not stays) as owed_up,
         max(expected) as expected
  from old where intake group by pair_id),
heirs as (
  select w.pair_id, w.ledger_cell from wanted w left join old o on o.pair_id = w.pair_id and o.ledger_cell = w.ledger_cell
  where w.intake and not coalesce(o.intake, false)),
gone as (
  delete from components k where k.pair_id = any(:pairs::bigint[])
    and not exists (select 1 from wanted w where w.pair_id = k.pair_id and w.ledger_cell = k.ledger_cell)),
put as (
  insert into components (pair_id, ledger_cell, ratio, intake, owed_down, owed_up, expected)
  select w.pair_id, w.ledger_cell, w.ratio, w.intake,
         case when h.pair_id is not null then coalesce(f.owed_down, 0) when w.intake then coalesce(o.owed_down, 0) else 0 end,
         case when h.pair_id is not null then coalesce(f.owed_up, 0) when w.intake then coalesce(o.owed_up, 0) else 0 end,
         case when h.pair_id is not null then coalesce(f.expected, 0) when w.intake then coalesce(o.expected, 0) else 0 end
  from wanted w
  left join old o on o.pair_id = w.pair_id and o.ledger_cell = w.ledger_cell
  left join freed f on f.pair_id = w.pair_id
  left join heirs h on h.pair_id = w.pair_id and h.ledger_cell = w.ledger_cell
  order by w.pair_id, w.ledger_cell
  on conflict (pair_id, ledger_cell) do update set ratio = excluded.ratio, intake = excluded.intake,
    owed_down = excluded.owed_down, owed_up = excluded.owed_up, expected = excluded.expected)
select count(*) from freed f
where (coalesce(f.owed_down, 0) <> 0 or coalesce(f.owed_up, 0) <> 0)
  and not exists (select 1 from heirs h where h.pair_id = f.pair_id);

-- name: await_settling(route_id, items)!
-- Suspended pairs that match again, and whose ops to the ledger are still under way, are made anew once those settled.
with wanted as (
  select p.id from pairs p join cells c on c.id = p.channel_cell
  where p.route_id = :route_id and p.phase = 'suspended' and c.item_id = any(:items::bigint[])
    and exists (select 1 from location_pairs lp where lp.route_id = :route_id and lp.channel_location = c.location_id)
    and exists (select 1 from components k where k.pair_id = p.id and (k.sent_down <> 0 or k.sent_up <> 0))),
locked as (select p.id from pairs p join wanted w on w.id = p.id order by p.id for update of p)
update pairs p set phase_reason = 'op under way' from locked where locked.id = p.id;

-- name: routes_to_match_again()
-- Routes with pairs that waited for an op to settle, and whose ops have settled.
select r.id, r.name from routes r
where exists (
  select 1 from pairs p where p.route_id = r.id and p.phase = 'suspended' and p.phase_reason = 'op under way'
    and not exists (select 1 from components k where k.pair_id = p.id and (k.sent_down <> 0 or k.sent_up <> 0)))
order by r.id;

-- name: read_pair_cells(route_id, now)!
-- Cells of new pairs that were never read are due.
with wanted as (
  select p.channel_cell as id from pairs p where p.route_id = :route_id and p.phase = 'new'
  union select k.ledger_cell from components k join pairs p on p.id = k.pair_id where p.route_id = :route_id and p.phase = 'new'),
locked as (select c.id from cells c join wanted w on w.id = c.id where c.known is null order by c.id for update of c)
update cells c set dirty_since = coalesce(c.dirty_since, :now), marked_at = greatest(c.marked_at, :now),
  read_due = least(coalesce(c.read_due, :now), :now)
from locked where locked.id = c.id;

-- name: save_match(route_id, report, now)!
update routes set match_report = :report, matched_at = :now where id = :route_id;

-- name: start_run(kind, connection_id, route_id, now)$
insert into runs (kind, connection_id, route_id, started_at, updated_at, next_at, total)
select :kind::text, :connection_id::bigint, :route_id::bigint, :now::timestamptz, :now::timestamptz, :now::timestamptz,
  case :kind::text
    when 'import' then (select nullif(count(*), 0) from items where connection_id = :connection_id::bigint and not gone)
    when 'reconcile' then (select nullif(count(*), 0) from cells
                           where connection_id = :connection_id::bigint and condition in ('active', 'unread'))
  end
on conflict do nothing returning id;

-- name: running_run(kind, connection_id)^
select id, cursor, done, found, started_at, next_at from runs
where kind = :kind and connection_id = :connection_id and state = 'running' order by id limit 1;

-- name: run_progress(id, cursor, done, found, now, next_at)!
update runs set cursor = :cursor, done = done + :done, found = found + :found, updated_at = :now, next_at = :next_at
where id = :id and state = 'running';

-- name: hasten_lists(connection_id, now)!
-- A list that the partner was making may be ready: look at once.
update runs set next_at = :now where connection_id = :connection_id and state = 'running' and kind in ('import', 'reconcile')
  and next_at > :now;

-- name: finish_run(id, state, error, now)!
update runs set state = :state, error = :error, finished_at = :now, updated_at = :now where id = :id and state = 'running';

-- name: polled(connection_id, until)!
update connections set polled_until = greatest(polled_until, :until) where id = :connection_id;

-- name: reconciled(connection_id, now)!
update routes set reconciled_at = :now where ledger_id = :connection_id or channel_id = :connection_id;

-- name: items_named(connection_id, named)
-- Items by their key or by any code, exactly as written.
select key, name from items
where connection_id = :connection_id and not gone
  and (key = :named or exists (select 1 from jsonb_each_text(codes) as c where c.value = :named))
order by key = :named desc, id limit 5;

-- name: lock_catalogue_files(connection_id)
-- Files that wait for the others of their set; one hand-in of a connection at a time.
select f.kind, f.name, f.body from connections n left join catalogue_files f on f.connection_id = n.id
where n.id = :connection_id and f.kind is not null order by f.kind;

-- name: put_catalogue_file(connection_id, kind, name, body, now)!
insert into catalogue_files (connection_id, kind, name, body, handed_in_at) values (:connection_id, :kind, :name, :body, :now)
on conflict (connection_id, kind) do update set name = excluded.name, body = excluded.body, handed_in_at = excluded.handed_in_at;

-- name: drop_catalogue_files(connection_id)!
delete from catalogue_files where connection_id = :connection_id;

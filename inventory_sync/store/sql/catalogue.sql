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

-- name: match_values(connection_id, field)
-- What can be matched: items that exist, with the exact value of a field.
select id, codes ->> :field as value, name, tracked, bundle
from items where connection_id = :connection_id and not gone order by id;

-- name: suspend_unmatched(route_id, channel_items, ledger_items, now)$
-- Pairs whose items match no longer are written no more.
with right_ones as (select * from unnest(:channel_items::bigint[], :ledger_items::bigint[]) as u (channel_item, ledger_item)),
wrong as (
  select p.id from pairs p join cells cc on cc.id = p.channel_cell
  join components k on k.pair_id = p.id join cells lc on lc.id = k.ledger_cell
  where p.route_id = :route_id and p.phase <> 'suspended'
    and not exists (select 1 from right_ones r where r.channel_item = cc.item_id and r.ledger_item = lc.item_id)),
locked as (select p.id from pairs p join wrong w on w.id = p.id order by p.id for update of p),
done as (
  update pairs p set phase = 'suspended', phase_reason = 'unmatched', phase_since = :now from locked where locked.id = p.id
  returning 1)
select count(*) from done;

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

-- name: clear_suspended(route_id, channel_items)!
-- Suspended pairs that are about to be matched again forget their old ledger side.
delete from components k using pairs p, cells c
where k.pair_id = p.id and c.id = p.channel_cell and p.route_id = :route_id and p.phase = 'suspended'
  and c.item_id = any(:channel_items::bigint[]);

-- name: make_pairs(route_id, channel_items, ledger_items, values, now)$
-- A pair for each matched item at each mapped location; a cell that has a pair keeps it, a suspended one of this route
-- comes back as a new pair.
with matched as (
  select * from unnest(:channel_items::bigint[], :ledger_items::bigint[], :values::text[]) as u (channel_item, ledger_item, value)),
wanted as (
  select cc.id as channel_cell, m.value
  from matched m join location_pairs lp on lp.route_id = :route_id
  join cells cc on cc.item_id = m.channel_item and cc.location_id = lp.channel_location
  join cells lc on lc.item_id = m.ledger_item and lc.location_id = lp.ledger_location),
made as (
  insert into pairs (route_id, channel_cell, value, phase, phase_since, made_at)
  select :route_id, w.channel_cell, w.value, 'new', :now, :now from wanted w order by w.channel_cell
  on conflict (channel_cell) do update set phase = 'new', phase_reason = 'matched again', phase_since = excluded.phase_since,
    value = excluded.value, kept = 0
    where pairs.route_id = excluded.route_id and pairs.phase = 'suspended'
  returning id)
select count(*) from made;

-- name: relink_components(route_id, channel_items, ledger_items)!
-- Components of pairs made again point to the ledger cells of today's match.
insert into components (pair_id, ledger_cell)
select p.id, lc.id
from unnest(:channel_items::bigint[], :ledger_items::bigint[]) as m (channel_item, ledger_item)
join location_pairs lp on lp.route_id = :route_id
join cells cc on cc.item_id = m.channel_item and cc.location_id = lp.channel_location
join cells lc on lc.item_id = m.ledger_item and lc.location_id = lp.ledger_location
join pairs p on p.channel_cell = cc.id and p.route_id = :route_id
where not exists (select 1 from components k where k.pair_id = p.id)
order by p.id on conflict do nothing;

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
insert into runs (kind, connection_id, route_id, started_at, updated_at, next_at) values (:kind, :connection_id, :route_id, :now, :now, :now)
on conflict do nothing returning id;

-- name: running_run(kind, connection_id)^
select id, cursor, done, found, started_at, next_at from runs
where kind = :kind and connection_id = :connection_id and state = 'running' order by id limit 1;

-- name: run_progress(id, cursor, done, found, now, next_at)!
update runs set cursor = :cursor, done = done + :done, found = found + :found, updated_at = :now, next_at = :next_at
where id = :id and state = 'running';

-- name: finish_run(id, state, error, now)!
update runs set state = :state, error = :error, finished_at = :now, updated_at = :now where id = :id and state = 'running';

-- name: polled(connection_id, until)!
update connections set polled_until = greatest(polled_until, :until) where id = :connection_id;

-- name: reconciled(connection_id, now)!
update routes set reconciled_at = :now where ledger_id = :connection_id or channel_id = :connection_id;

-- name: connections_all()
select id, name, system, identity, title, state, state_code, state_reason, state_remedy, state_since, retry_at, settings,
       calibration, secrets, version, credential_expires_at, catalogue_import, catalogue_at, polled_until, heard_at, lane_seen_at,
       verified_at, granted
from connections order by id;

-- name: connection_by_name(name)^
select id, name, system, identity, title, state, state_code, state_reason, state_remedy, state_since, retry_at, settings,
       calibration, secrets, version, credential_expires_at, catalogue_import, catalogue_at, polled_until, heard_at, lane_seen_at,
       verified_at, granted
from connections where name = :name;

-- name: insert_connection(name, system, settings, secrets, now)$
insert into connections (name, system, settings, secrets, state, state_since)
values (:name, :system, :settings, :secrets, 'created', :now) returning id;

-- name: update_connection(id, settings, secrets)!
update connections set settings = :settings, secrets = :secrets, version = version + 1 where id = :id;

-- name: set_aside(id, code, now)!
-- A connection that somebody works on alone: the daemon lets go of its lane until the code is gone or long past.
update connections set state_code = :code, state_since = :now, version = version + 1 where id = :id;

-- name: save_calibration(id, calibration)!
-- What was found out about a connection. Its clients are made anew.
update connections set calibration = calibration || :calibration::jsonb, version = version + 1 where id = :id;

-- name: link_connection(id, identity, title, expires_at, now)!
-- A verified connection is linked; its identity never changes afterwards.
update connections set identity = coalesce(identity, :identity), title = :title, credential_expires_at = :expires_at,
  state = 'linked', state_code = '', state_reason = '', state_remedy = '', retry_at = null,
  state_since = case when state = 'linked' then state_since else :now end
where id = :id;

-- name: set_connection_state(id, state, code, reason, remedy, retry_at, now)!
update connections set state = :state, state_code = :code, state_reason = :reason, state_remedy = :remedy,
  retry_at = :retry_at, state_since = case when state = :state then state_since else :now end
where id = :id;

-- name: routes_all()
select r.id, r.name, r.ledger_id, r.channel_id, g.name as ledger, h.name as channel, r.direction, r.sales, r.ledger_field,
       r.channel_fields, r.listings, r.ledger_basis, r.booked_within, r.intake, r.pooled, r.buffer, r.percent, r.maximum,
       r.auto_buffer, r.auto_most, r.end_when,
       r.align, r.state, r.stopped_by, r.blockers, r.ever_aligned, r.match_report, r.matched_at, r.reconciled_at, r.version,
       r.unmapped_at
from routes r join connections g on g.id = r.ledger_id join connections h on h.id = r.channel_id order by r.id;

-- name: insert_route(name, ledger_id, channel_id, direction, sales, ledger_field, channel_fields, buffer, percent, maximum, align)$
insert into routes (name, ledger_id, channel_id, direction, sales, ledger_field, channel_fields, buffer, percent, maximum, align)
values (:name, :ledger_id, :channel_id, :direction, :sales, :ledger_field, :channel_fields, :buffer, :percent, :maximum, :align)
returning id;

-- name: update_route(id, direction, sales, ledger_field, channel_fields, buffer, percent, maximum, align)!
update routes set direction = :direction, sales = :sales, ledger_field = :ledger_field, channel_fields = :channel_fields,
  buffer = :buffer, percent = :percent, maximum = :maximum, align = :align, version = version + 1 where id = :id;

-- name: set_route_terms(id, listings, ledger_basis, booked_within, intake, pooled)!
-- How items and locations of a route belong together, and which number counts.
update routes set listings = :listings, ledger_basis = :ledger_basis, booked_within = :booked_within, intake = :intake,
  pooled = :pooled where id = :id;

-- name: route_codes_of(route_id)
select channel_value, ledger_value from route_codes where route_id = :route_id order by channel_value;

-- name: put_route_codes(route_id, channel_values, ledger_values)!
with gone as (
  delete from route_codes where route_id = :route_id and channel_value <> all(:channel_values::text[]))
insert into route_codes (route_id, channel_value, ledger_value)
select :route_id, u.channel_value, u.ledger_value
from unnest(:channel_values::text[], :ledger_values::text[]) as u (channel_value, ledger_value)
on conflict (route_id, channel_value) do update set ledger_value = excluded.ledger_value;

-- name: route_sets_of(route_id)
select set_value, component_value, ratio from route_sets where route_id = :route_id order by set_value, component_value;

-- name: put_route_sets(route_id, set_values, component_values, ratios)!
with lines as (
  select * from unnest(:set_values::text[], :component_values::text[], :ratios::int[]) as u (set_value, component_value, ratio)),
gone as (
  delete from route_sets s where s.route_id = :route_id and not exists (
    select 1 from lines l where l.set_value = s.set_value and l.component_value = s.component_value))
insert into route_sets (route_id, set_value, component_value, ratio)
select :route_id, l.set_value, l.component_value, l.ratio from lines l
on conflict (route_id, set_value, component_value) do update set ratio = excluded.ratio;

-- name: count_owing(route_id)$
-- Pairs of a route with movements that the ledger was not told, or has not acknowledged.
select count(distinct k.pair_id) from components k join pairs p on p.id = k.pair_id
where p.route_id = :route_id and (k.owed_down <> 0 or k.owed_up <> 0 or k.sent_down <> 0 or k.sent_up <> 0);

-- name: other_bases(ledger_id, route_id, basis)
-- Other routes of a ledger that take its number differently: as counting goods that orders have taken, or not.
select name, ledger_basis from routes
where ledger_id = :ledger_id and id <> :route_id and stopped_by <> 'removed'
  and (ledger_basis = 'on_hand') <> (:basis::text = 'on_hand') order by id;

-- name: set_route_state(id, state, stopped_by, blockers)!
update routes set state = :state, stopped_by = :stopped_by, blockers = :blockers, version = version + 1 where id = :id;

-- name: route_aligned(id)!
update routes set ever_aligned = true where id = :id;

-- name: location_pairs_of(route_id)
select g.key as ledger_location, h.key as channel_location, g.id as ledger_location_id, h.id as channel_location_id,
       g.name as ledger_name, h.name as channel_name, p.pooled, p.intake
from location_pairs p join locations g on g.id = p.ledger_location join locations h on h.id = p.channel_location
where p.route_id = :route_id order by g.id;

-- name: insert_location_pair(route_id, ledger_id, channel_id, ledger_key, channel_key)$
insert into location_pairs (route_id, ledger_id, channel_id, ledger_location, channel_location)
select :route_id, :ledger_id, :channel_id, g.id, h.id from locations g, locations h
where g.connection_id = :ledger_id and g.key = :ledger_key and h.connection_id = :channel_id and h.key = :channel_key
returning 1;

-- name: insert_pooled_location(route_id, ledger_id, channel_id, ledger_key, channel_key, intake)$
-- One of the ledger locations that a pool sums for a channel location; the one of `intake` takes what comes back.
insert into location_pairs (route_id, ledger_id, channel_id, ledger_location, channel_location, pooled, intake)
select :route_id, :ledger_id, :channel_id, g.id, h.id, true, :intake from locations g, locations h
where g.connection_id = :ledger_id and g.key = :ledger_key and h.connection_id = :channel_id and h.key = :channel_key
returning 1;

-- name: delete_location_pairs(route_id)!
delete from location_pairs where route_id = :route_id;

-- name: suspend_unmapped(route_id, now)$
-- Pairs at locations that are mapped no more are written no more.
with wrong as (
  select p.id from pairs p join cells cc on cc.id = p.channel_cell
  join components k on k.pair_id = p.id join cells lc on lc.id = k.ledger_cell
  where p.route_id = :route_id and p.phase <> 'suspended' and not exists (
    select 1 from location_pairs lp where lp.route_id = p.route_id and lp.channel_location = cc.location_id
      and lp.ledger_location = lc.location_id)),
done as (update pairs p set phase = 'suspended', phase_reason = 'location not mapped', phase_since = :now
         from wrong w where w.id = p.id returning 1)
select count(*) from done;

-- name: preview_by_id(id)^
select v.id, v.route_id, v.made_at, v.summary, v.accepted_at, r.name as route from previews v join routes r on r.id = v.route_id
where v.id = :id;

-- name: latest_preview(route_id)^
select id, route_id, made_at, summary, accepted_at from previews where route_id = :route_id and source = 'route' order by made_at desc, id limit 1;

-- name: drop_old_previews(keep, before, most)$
-- Of previews that nobody accepted the newest of each route and kind stay. The lines of accepted ones are rows of runs by
-- now, or were told. Some at a time.
with surplus as (
  select id from (select id, made_at, row_number() over (partition by route_id, source order by made_at desc, id) as place
                  from previews where accepted_at is null) as v
  where place > :keep order by made_at, id limit :most),
used as (
  select v.id from previews v where v.accepted_at < :before
    and exists (select 1 from preview_rows w where w.preview_id = v.id) order by v.made_at, v.id limit :most),
lines as (delete from preview_rows where preview_id in (select id from surplus union all select id from used)),
gone as (delete from previews where id in (select id from surplus) and accepted_at is null returning 1)
select count(*) from gone;

-- name: accept_preview(id, now)!
update previews set accepted_at = :now where id = :id;

-- name: write_audit(at, actor, action, subject, before, after)!
insert into audit (at, actor, action, subject, before, after) values (:at, :actor, :action, :subject, :before, :after);

-- name: open_alert(code, subject, connection_id, route_id, detail, now)$
insert into alerts (code, subject, connection_id, route_id, detail, opened_at, seen_at)
values (:code, :subject, :connection_id, :route_id, :detail, :now, :now)
on conflict (code, subject) where closed_at is null do update set seen_at = excluded.seen_at, detail = excluded.detail
returning (xmax = 0) as fresh;

-- name: close_alerts(code, subject, now)!
update alerts set closed_at = :now where code = :code and subject = :subject and closed_at is null;

-- name: alerts_open()
select code, subject, connection_id, route_id, detail, opened_at, seen_at from alerts where closed_at is null order by opened_at, id;

-- name: installation()^
select name, database_identifier, timeline from installation;

-- name: insert_installation(name, identifier, timeline, now)!
insert into installation (name, database_identifier, timeline, installed_at) values (:name, :identifier, :timeline, :now)
on conflict do nothing;

-- name: update_installation(identifier, timeline)!
update installation set database_identifier = :identifier, timeline = :timeline;

-- name: database_identity()^
-- Which database this is and on which timeline. Changes with a restore or a promoted replica.
select (select system_identifier::text from pg_control_system()) as identifier,
       (select timeline_id from pg_control_checkpoint()) as timeline;

-- name: route_counts(route_id)^
select count(*) as pairs,
       count(*) filter (where p.phase = 'live') as live,
       count(*) filter (where p.phase = 'new') as new,
       count(*) filter (where p.phase = 'waiting') as waiting,
       count(*) filter (where p.phase = 'catching_up') as catching_up,
       count(*) filter (where p.phase = 'suspended') as suspended,
       count(*) filter (where p.shape = 'pool') as pools,
       count(*) filter (where p.shape = 'set') as sets,
       count(*) filter (where c.gap <> 0 or c.op_id is not null) as open,
       count(*) filter (where c.quarantined) as quarantined,
       coalesce(sum(p.uncertain), 0)::bigint as uncertain,
       coalesce(sum((select sum(-k.owed_down + k.owed_up - k.sent_down + k.sent_up)
                     from components k where k.pair_id = p.id)), 0)::bigint as owed
from pairs p join cells c on c.id = p.channel_cell where p.route_id = :route_id;

-- name: connection_counts(connection_id, now)^
select count(*) as cells,
       count(*) filter (where marked_at is not null) as dirty,
       count(*) filter (where gap <> 0) as pending,
       count(*) filter (where op_id is not null) as in_flight,
       count(*) filter (where quarantined) as quarantined,
       coalesce(extract(epoch from :now - min(dirty_since)), 0)::float8 as oldest_dirty_s,
       coalesce(extract(epoch from :now - min(gap_since) filter (where gap <> 0)), 0)::float8 as oldest_pending_s,
       coalesce(extract(epoch from :now - min(read_answered_at)), 0)::float8 as oldest_reading_s
from cells where connection_id = :connection_id;

-- name: doubt_count(connection_id)$
select count(*) from ops where connection_id = :connection_id and state = 'in_doubt';

-- name: quarantine_all()
select q.cell_id, q.code, q.reason, q.since, q.excluded, n.name as connection, i.key as item, i.name, i.codes, l.name as location
from quarantine q join cells c on c.id = q.cell_id join connections n on n.id = c.connection_id
join items i on i.id = c.item_id join locations l on l.id = c.location_id order by q.since, q.cell_id;

-- name: running_routes_of(connection_id)
select id, name from routes where (ledger_id = :connection_id or channel_id = :connection_id) and state = 'running' order by id;

-- name: oversold_pairs()
-- Running pairs whose effective quantity is below zero.
select p.id, p.value, p.channel_cell, r.id as route_id, r.name as route, l.name as location, e.effective
from pairs p join routes r on r.id = p.route_id and r.state = 'running'
join pair_effective e on e.pair_id = p.id
join cells c on c.id = p.channel_cell join locations l on l.id = c.location_id
where p.phase in ('live', 'catching_up', 'waiting') and e.effective < 0 order by p.id;

-- name: lock_configuration()$
-- One change of the configuration at a time.
select pg_advisory_xact_lock(hashtextextended('inventory-sync configuration', 0));

-- name: lock_routes(names)
-- The routes that are about to change, locked against people and brakes that would change them too.
select id from routes where name = any(:names::text[]) order by id for update;

-- name: suspend_route(route_id, now, reason)$
-- Nothing of a route is written any more; its pairs are kept, with what they know.
with locked as (select id from pairs where route_id = :route_id and phase <> 'suspended' order by id for update),
done as (
  update pairs p set phase = 'suspended', phase_reason = :reason, phase_since = :now from locked where locked.id = p.id
  returning 1)
select count(*) from done;

-- name: take_over_pairs(route_id, now)$
-- Suspended pairs that another route left behind at channel locations it maps no more come under this route. What they
-- owed was owed to the other route's ledger and ends here; a pair with an op under way stays until it is settled.
with wanted as (
  select p.id from pairs p join cells c on c.id = p.channel_cell
  join location_pairs mine on mine.route_id = :route_id and mine.channel_location = c.location_id
  where p.route_id <> :route_id and p.phase = 'suspended' and c.op_id is null
    and not exists (select 1 from components k where k.pair_id = p.id and (k.sent_down <> 0 or k.sent_up <> 0))
    and not exists (select 1 from location_pairs theirs
                    where theirs.route_id = p.route_id and theirs.channel_location = c.location_id)),
locked as (select p.id from pairs p join wanted w on w.id = p.id order by p.id for update of p),
done as (
  update pairs p set route_id = :route_id, phase_reason = 'other route', phase_since = :now, kept = 0,
    ledger_moved = 0, channel_up = 0
  from locked where locked.id = p.id returning p.id),
freed as (
  update components k set owed_down = 0, owed_up = 0, expected = 0 from done where k.pair_id = done.id)
select count(*) from done;

-- name: remove_connection(id, now)!
-- A connection that the configuration names no more: it is not served, and its secrets are gone. Its journal stays.
update connections set state = 'unlinked', state_code = 'removed', state_reason = '', state_remedy = '', retry_at = null,
  secrets = null, version = version + 1, state_since = :now where id = :id;

-- name: stop_runs_of(connection_id, now)!
update runs set state = 'stopped', finished_at = :now, updated_at = :now
where connection_id = :connection_id and state = 'running';

-- name: drop_wishes_of(connection_id)!
delete from wishes where connection_id = :connection_id;

-- name: unmapped_locations(route_id)
-- Locations in use on either side that the route does not map, and so never touches.
select n.name as connection, l.key, l.name, l.connection_id = r.ledger_id as is_ledger
from routes r join locations l on l.connection_id in (r.ledger_id, r.channel_id) join connections n on n.id = l.connection_id
where r.id = :route_id and l.active
  and not exists (select 1 from location_pairs p
                  where p.route_id = r.id and l.id in (p.ledger_location, p.channel_location))
order by is_ledger desc, l.id;

-- name: route_oldest_pending(route_id, now)$
-- For how many seconds the oldest difference of a route waits to be written, on either side; 0 where none waits.
select coalesce(extract(epoch from :now::timestamptz - min(c.gap_since)), 0)::float8
from cells c
where c.gap <> 0 and (exists (select 1 from pairs p where p.channel_cell = c.id and p.route_id = :route_id)
  or exists (select 1 from components k join pairs p on p.id = k.pair_id
             where k.ledger_cell = c.id and p.route_id = :route_id));

-- name: release_quarantine(ids)
-- Let these cells be written again.
with gone as (delete from quarantine where cell_id = any(:ids::bigint[]) returning cell_id, code, reason),
locked as (select c.id from cells c join gone g on g.cell_id = c.id order by c.id for update of c),
freed as (update cells c set quarantined = false, bisect = null, blocked = '' from locked where locked.id = c.id returning c.id)
select g.cell_id, g.code, g.reason, n.name as connection, i.key as item, l.key as location
from gone g join cells c on c.id = g.cell_id join connections n on n.id = c.connection_id
join items i on i.id = c.item_id join locations l on l.id = c.location_id order by g.cell_id;

-- name: alerts_recent(closed, limit)
-- Open alerts, oldest first; with `closed` also those that are over, newest last.
select id, code, subject, detail, opened_at, seen_at, closed_at from (
  select id, code, subject, detail, opened_at, seen_at, closed_at from alerts
  where closed_at is null or :closed order by id desc limit :limit) as latest order by opened_at, id;

-- name: alerts_over(long_ago, lately)
-- Open alerts whose cause is gone: nobody waits any more, nothing is quarantined, the route was aligned again; no
-- callback is to come any more; a request called malformed long ago; housekeeping that failed, but not lately.
select a.id, a.code, a.subject from alerts a
left join routes r on r.id = a.route_id
where a.closed_at is null and (
  (a.code = 'preview_ready' and (r.id is null or r.state <> 'blocked'))
  or (a.code = 'pairs_waiting' and not exists (
        select 1 from pairs p where p.route_id = a.route_id and p.phase = 'new'
          and p.phase_reason in ('many_new_pairs', 'large_move')))
  or (a.code = 'quarantined' and not exists (
        select 1 from quarantine q join cells c on c.id = q.cell_id
        where c.connection_id = a.connection_id and not q.excluded and q.code <> 'IS-SAF-001'))
  or (a.code in ('restored', 'second_installation') and not exists (
        select 1 from routes w where w.blockers ? a.code))
  or (a.code = 'callbacks_missing' and not exists (
        select 1 from connections n where n.id = a.connection_id and n.state in ('linked', 'broken', 'needs_action')
          and n.settings -> 'bulk' is distinct from to_jsonb(false)))
  or (a.code = 'bug' and a.seen_at < :long_ago)
  or (a.code = 'housekeeping_failing' and a.seen_at < :lately))
order by a.id;

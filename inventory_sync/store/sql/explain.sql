-- name: explain_items(code, limit)
-- Items that carry a code in any field, or as their key, exactly as written; those that exist first.
select i.id, i.connection_id, n.name as connection, i.key, i.codes, i.name, i.tracked, i.bundle, i.gone
from items i join connections n on n.id = i.connection_id
where n.state_code <> 'removed' and i.id in (
  select id from items where item_codes(codes) @> array[:code::text]
  union
  select k.id from connections c join items k on k.connection_id = c.id and k.key = :code::text)
order by i.gone, i.id limit :limit;

-- name: explain_items_by_value(connection_id, value, fields, limit)
-- Existing items of a connection that carry a value in one of the fields a route matches by.
select i.id, i.name, i.tracked, i.bundle from items i
where i.connection_id = :connection_id and not i.gone and item_codes(i.codes) @> array[:value::text]
  and exists (select 1 from unnest(:fields::text[]) as f (field) where i.codes ->> f.field = :value::text)
order by i.id limit :limit;

-- name: explain_alike(code, connection_id, fields, limit)
-- Codes that are the same but for what people and spreadsheets lose; of one connection and some of its fields, or of all.
select i.id, n.name as connection, c.value as code
from items i join connections n on n.id = i.connection_id cross join lateral jsonb_each_text(i.codes) as c
where not i.gone and n.state_code <> 'removed'
  and (:connection_id::bigint is null or i.connection_id = :connection_id::bigint)
  and (:fields::text[] is null or c.key = any(:fields::text[]))
  and item_rough_codes(i.codes) @> array[(select rough_code(:code::text))]
  and rough_code(:code::text) <> '' and rough_code(c.value) = rough_code(:code::text) and c.value <> :code::text
order by i.id, c.key limit :limit;

-- name: explain_slips(codes, limit)
-- Existing items that carry one of these codes, each looked up by itself in the index of codes.
with found as materialized (
  select i.id, i.connection_id, i.gone, u.code
  from unnest(:codes::text[]) as u (code) join items i on item_codes(i.codes) @> array[u.code])
select f.id, n.name as connection, f.code from found f join connections n on n.id = f.connection_id
where not f.gone and n.state_code <> 'removed' order by f.id, f.code limit :limit;

-- name: explain_pairs(items, route, limit)
-- The pairs that these items are a side of, in the order of routes and channel cells.
with touched as (
  select p.id from cells c join pairs p on p.channel_cell = c.id where c.item_id = any(:items::bigint[])
  union
  select k.pair_id from cells c join components k on k.ledger_cell = c.id where c.item_id = any(:items::bigint[]))
select p.id, p.route_id, p.channel_cell, p.value, p.shape, p.phase, p.phase_reason, p.phase_since, p.kept, p.held,
       p.uncertain, p.zeroing, c.item_id as channel_item,
       array(select l.item_id from components k join cells l on l.id = k.ledger_cell where k.pair_id = p.id order by l.id) as ledger_items
from touched t join pairs p on p.id = t.id join routes r on r.id = p.route_id join cells c on c.id = p.channel_cell
where r.stopped_by <> 'removed' and (:route::text is null or r.name = :route::text)
order by p.route_id, p.channel_cell limit :limit;

-- name: explain_parts(pairs, limit)
-- What each pair is made of, with what it is owed and what is expected there.
select k.pair_id, k.ledger_cell, k.ratio, k.intake, k.owed_down, k.owed_up, k.sent_down, k.sent_up, k.expected,
       s.shown, s.pending_down, s.own_up
from components k join pair_sides s on s.pair_id = k.pair_id and s.ledger_cell = k.ledger_cell
where k.pair_id = any(:pairs::bigint[]) order by k.pair_id, k.ledger_cell limit :limit;

-- name: explain_cells(ids)
-- Everything known of these cells: what the lock of a decision would show, and what they are called. A write is
-- accepted while the partner has its batch and has not carried it out.
select c.*, i.key as item_key, i.name as item_name, l.key as location_key, l.name as location, n.name as connection,
       q.code as quarantine_code, q.reason as quarantine_reason, q.since as quarantine_since, q.excluded,
       case when o.state = 'sent' and b.state = 'accepted' then b.state else o.state end as op_state, o.delta as op_delta, o.composed_at as op_composed_at, o.reason as op_reason
from cells c join items i on i.id = c.item_id join locations l on l.id = c.location_id
join connections n on n.id = c.connection_id left join quarantine q on q.cell_id = c.id left join ops o on o.id = c.op_id
left join batches b on b.id = o.batch_id
where c.id = any(:ids::bigint[]) order by c.id;

-- name: explain_sales(pairs, limit)
-- Sales of these pairs that are still to be booked, oldest first.
select pair_id, open, reference, state, due_at from expected
where pair_id = any(:pairs::bigint[]) and open > 0 order by pair_id, id limit :limit;

-- name: explain_holds(cells, limit)
-- Movements of these cells that are held back now.
select cell_id, reason, units - taken_back as units, held_at from holds
where cell_id = any(:cells::bigint[]) and released_at is null order by cell_id, id limit :limit;

-- name: explain_alerts(connections, routes, limit)
-- Open alerts of these connections and routes, newest first.
select code, subject, connection_id, route_id, detail, opened_at from alerts
where closed_at is null and (connection_id = any(:connections::bigint[]) or route_id = any(:routes::bigint[]))
order by opened_at desc, id desc limit :limit;

-- name: explain_movements(cells, since, limit)
-- The newest movements of each cell since a time, with their causes.
select m.id, m.cell_id, m.delta, m.before, m.after, m.kind, m.marked_at, m.asked_at, m.answered_at, m.stamp,
       coalesce(x.cause, '') as cause, x.happened_at
from unnest(:cells::bigint[]) as u (cell_id) cross join lateral (
  select * from movements m where m.cell_id = u.cell_id and m.asked_at >= :since order by m.id desc limit :limit) as m
left join movement_causes x on x.movement_id = m.id
order by m.asked_at desc, m.id desc limit :limit;

-- name: explain_last_movements(cells, limit)
-- The very last movement of each cell, however old it is.
select m.id, m.cell_id, m.delta, m.before, m.after, m.kind, m.marked_at, m.asked_at, m.answered_at, m.stamp,
       coalesce(x.cause, '') as cause, x.happened_at
from unnest(:cells::bigint[]) as u (cell_id) cross join lateral (
  select * from movements m where m.cell_id = u.cell_id order by m.id desc limit 1) as m
left join movement_causes x on x.movement_id = m.id
order by m.cell_id limit :limit;

-- name: explain_ops(cells, since, limit)
-- The newest writes to each cell since a time; accepted is one whose batch the partner has and has not carried out.
select o.id, o.cell_id, o.delta, o.value, o.known_before, o.target, o.cause,
       case when o.state = 'sent' and b.state = 'accepted' then b.state else o.state end as state, o.reason, o.reason_code,
       o.change_heard_at, o.change_stamp, o.composed_at, o.settled_at, o.doubles, b.attempts
from unnest(:cells::bigint[]) as u (cell_id) cross join lateral (
  select * from ops o where o.cell_id = u.cell_id and o.composed_at >= :since order by o.composed_at desc, o.id limit :limit) as o
join batches b on b.id = o.batch_id
order by o.composed_at desc, o.id limit :limit;

-- name: explain_notices(connections, item_keys, since, limit)
-- The newest notices that name these items, of their connections. The time bounds what is looked through.
select n.id, n.connection_id, n.topic, n.kind, n.hints, n.sent_at, n.received_at, n.state, n.handled_at
from inbox n
where n.received_at >= :since and exists (
  select 1 from unnest(:connections::bigint[], :item_keys::text[]) as u (connection_id, item_key)
  where u.connection_id = n.connection_id and n.hints @> jsonb_build_array(jsonb_build_array(u.item_key)))
order by n.received_at desc, n.id desc limit :limit;

-- name: explain_orders(cells, since, limit)
-- Order lines of these cells first listed since a time: number, quantity and state, nothing else is kept.
select o.cell_id, o.order_id, o.line, o.quantity, o.counted, o.held, o.state, o.placed_at, o.first_seen_at
from order_lines o where o.cell_id = any(:cells::bigint[]) and o.first_seen_at >= :since
order by o.first_seen_at desc, o.order_id, o.line limit :limit;

-- name: explain_expected(movements, limit)
-- What became of the sales that these movements were.
select e.movement_id, e.units, e.open, e.reference, e.state, e.opened_at, e.due_at, e.closed_at, m.cell_id, m.answered_at
from expected e join movements m on m.id = e.movement_id
where e.movement_id = any(:movements::bigint[]) order by e.movement_id desc limit :limit;

-- name: explain_compensations(cells, since, limit)
select x.cell_id, x.units, x.found_at, x.op_id from compensations x
where x.cell_id = any(:cells::bigint[]) and x.found_at >= :since order by x.found_at desc, x.id desc limit :limit;

-- name: explain_held(cells, since, limit)
-- Movements that were held or let go since a time.
select cell_id, reason, units, held_at, released_at, released_by from holds
where cell_id = any(:cells::bigint[]) and (held_at >= :since or released_at >= :since)
order by held_at desc, id desc limit :limit;

-- name: explain_alerts_since(connections, routes, since, limit)
-- Alerts of these connections and routes that were opened or closed since a time.
select code, subject, opened_at, closed_at from alerts
where (connection_id = any(:connections::bigint[]) or route_id = any(:routes::bigint[]))
  and (opened_at >= :since or closed_at >= :since)
order by opened_at desc, id desc limit :limit;

-- name: explain_audit(subjects, since, limit)
-- What people and the system did with these routes, connections, pairs or cells since a time.
select at, actor, action, subject from audit
where subject = any(:subjects::text[]) and at >= :since order by at desc, id desc limit :limit;

-- name: keep_happened(movement_id, happened_at)!
-- The partner's own time of what moved a level, where its history tells one.
update movement_causes set happened_at = :happened_at where movement_id = :movement_id;

-- name: orders_state(connection_id)^
-- When the last complete list of orders was asked, whether somebody wants the next one now, what policy says of orders,
-- and whether a route tells of them already.
select n.orders_swept_at, n.orders_wanted_at, n.settings -> 'orders' as policy,
       exists (select 1 from routes r where r.channel_id = n.id and r.ever_aligned and r.unmapped_at is null) as routed
from connections n where n.id = :connection_id;

-- name: want_orders(connection_id, now)!
update connections set orders_wanted_at = :now where id = :connection_id;

-- name: orders_swept(connection_id, asked_at)!
update connections set orders_swept_at = greatest(orders_swept_at, :asked_at::timestamptz) where id = :connection_id;

-- name: known_lines(connection_id, orders)
-- What is known of these orders' lines.
select order_id, line, cell_id, quantity, counted, held, state, swept_at, first_seen_at, parked, live, told, kept
from order_lines where connection_id = :connection_id and order_id = any(:orders::text[]) order by order_id, line;

-- name: cells_of_keys(connection_id, items, locations)
-- The cells that order lines name, whether a route knows them, and whether what is told of them reaches its ledger.
select c.id, i.key as item_key, l.key as location_key,
       exists (select 1 from pairs p where p.channel_cell = c.id) as paired,
       exists (select 1 from pairs p where p.channel_cell = c.id and p.phase not in ('new', 'waiting')) as reached
from unnest(:items::text[], :locations::text[]) as u (item, location)
join items i on i.connection_id = :connection_id and i.key = u.item
join locations l on l.connection_id = :connection_id and l.key = u.location
join cells c on c.item_id = i.id and c.location_id = l.id
group by c.id, i.key, l.key order by c.id;

-- name: put_lines(connection_id, orders, lines, cells, items, locations, quantities, counted, held, states, placed, payments, parked, live, told, kept, now, swept_at, unseen_at)!
-- Keep lines as they are listed now. Of an order only number, line, item, quantity and state.
insert into order_lines (connection_id, order_id, line, cell_id, item_key, location_key, quantity, counted, held, state,
                         placed_at, payment, parked, live, told, kept, first_seen_at, unseen_at, swept_at)
select :connection_id, u.order_id, u.line, u.cell_id, u.item, u.location, u.quantity, u.counted, u.held, u.state,
       u.placed_at, u.payment, u.parked, u.live, u.told, u.kept, :now, :unseen_at, :swept_at
from unnest(:orders::text[], :lines::text[], :cells::bigint[], :items::text[], :locations::text[], :quantities::int[],
            :counted::int[], :held::int[], :states::text[], :placed::timestamptz[], :payments::text[], :parked::int[],
            :live::int[], :told::int[], :kept::bool[])
  as u (order_id, line, cell_id, item, location, quantity, counted, held, state, placed_at, payment, parked, live, told,
        kept)
order by u.order_id, u.line
on conflict (connection_id, order_id, line) do update set cell_id = coalesce(order_lines.cell_id, excluded.cell_id),
  quantity = excluded.quantity, counted = excluded.counted, held = excluded.held, state = excluded.state,
  payment = excluded.payment, parked = excluded.parked, live = excluded.live, told = excluded.told, kept = excluded.kept,
  grown = order_lines.grown
    + greatest(0, excluded.counted + excluded.parked - order_lines.counted - order_lines.parked),
  grown_at = case when excluded.counted + excluded.parked > order_lines.counted + order_lines.parked
                  then excluded.swept_at else order_lines.grown_at end,
  ungrown_at = case when excluded.counted + excluded.parked > order_lines.counted + order_lines.parked
                    then coalesce(order_lines.ungrown_at, order_lines.swept_at) else order_lines.ungrown_at end,
  swept_at = greatest(order_lines.swept_at, excluded.swept_at);

-- name: vanish_lines(connection_id, since, until, swept_at)
-- Lines placed in a window whose whole list was read and did not show them: provisional orders that came to nothing.
-- `live`: units of them that nobody was told of.
with gone as (
  select connection_id, order_id, line, cell_id, live, kept from order_lines
  where connection_id = :connection_id and placed_at >= :since and placed_at < :until and swept_at < :swept_at
    and state <> 'vanished' order by order_id, line for update),
marked as (
  update order_lines o set state = 'vanished', held = 0, live = 0, kept = false from gone g
  where o.connection_id = g.connection_id and o.order_id = g.order_id and o.line = g.line)
select cell_id, live, kept from gone order by order_id, line;

-- name: note_orders(ids, known, loose, dirty, now, soft_at)!
-- Orders of these cells were counted: the level is lower by them, readings on their way count no more, and what an
-- earlier reading left unexplained is looked at anew, before anything is written: they may be it. `dirty`: a write may
-- have met them, the level must be read.
update cells c set known = u.known, version = c.version + 1,
  residual_at = case when c.residual is null then null else :now::timestamptz end,
  settled_since_read = c.settled_since_read or c.residual is not null,
  loose = c.loose || u.loose::int[],
  rewrite = c.rewrite or (u.loose <> '{}' and c.condition = 'unreadable'),
  dirty_since = case when u.dirty then coalesce(c.dirty_since, :now) else c.dirty_since end,
  marked_at = case when u.dirty then greatest(c.marked_at, :now) else c.marked_at end,
  read_due = case when u.dirty or c.residual is not null then least(coalesce(c.read_due, :now), :now)
                  else coalesce(c.read_due, :soft_at) end
from unnest(:ids::bigint[], :known::int[], :loose::text[], :dirty::bool[]) as u (id, known, loose, dirty)
where c.id = u.id;

-- name: forget_looks(ids)!
-- Orders came for cells that were never read: their first reading is looked at anew.
update cells set version = version + 1, residual = null, residual_at = null where id = any(:ids::bigint[]);

-- name: met_writes(cells, earliest, latest, fresh)
-- In the order asked: whether a cell was written from a reading asked no later than `latest` (and at most `fresh` before
-- the number was composed) by a write that may have landed after `earliest`.
select exists (
  select 1 from ops o where o.cell_id = u.cell and o.composed_at <= u.latest + :fresh::interval
    and o.state not in ('not_applied', 'rejected') and (o.settled_at is null or o.settled_at >= u.earliest)) as met
from unnest(:cells::bigint[], :earliest::timestamptz[], :latest::timestamptz[])
  with ordinality as u (cell, earliest, latest, n)
order by u.n;

-- name: hold_orders(ids)
-- Units of orders that policy does not count yet are kept out of the pair's target. Says which pairs changed.
with wanted as (
  select p.id, coalesce(sum(o.held), 0)::int as held from pairs p left join order_lines o on o.cell_id = p.channel_cell
  where p.channel_cell = any(:ids::bigint[]) group by p.id),
locked as (select p.id from pairs p join wanted w on w.id = p.id where p.held <> w.held order by p.id for update of p)
update pairs p set held = w.held from wanted w, locked where p.id = w.id and locked.id = p.id returning p.channel_cell;

-- name: lines_of_cell(cell_id, since)
-- Orders of a cell that were first listed after a time, as evidence; what an edit added to one stands for itself.
select u.units, u.first_seen_at, u.unseen_at from order_lines o
cross join lateral (values (o.counted + o.parked - o.grown, o.first_seen_at, o.unseen_at),
                           (o.grown, o.grown_at, o.ungrown_at)) as u (units, first_seen_at, unseen_at)
where o.cell_id = :cell_id and u.units > 0 and u.first_seen_at > :since
order by u.first_seen_at, o.order_id, o.line, u.units;

-- name: drop_old_lines(before)$
-- Orders that no window reaches any more are forgotten, but for those of which something still waits.
with gone as (
  delete from order_lines where placed_at < :before and swept_at < :before and not kept and held = 0 and parked = 0
  returning 1) select count(*) from gone;

-- name: cell_of_op(id)^
-- The cell of an op, as it is known now.
select c.id, c.known, c.residual, c.loose || c.waived as loose, c.condition, c.read_asked_at, c.read_answered_at, o.cut
from ops o join cells c on c.id = o.cell_id where o.id = :id;

-- name: put_cut_checks(ids, asked_at)!
-- These cells read 0 although a decrease of ours was the last that is known of them.
insert into cut_checks (cell_id, known_from, asked_at)
select c.id, c.read_answered_at, :asked_at from cells c
where c.id = any(:ids::bigint[]) and c.read_answered_at is not null and exists (
  select 1 from ops o where o.cell_id = c.id and o.composed_at >= c.read_asked_at and o.delta < 0 and o.state = 'applied')
order by c.id
on conflict do nothing;

-- name: cut_checks_due(connection_id, until, limit)
-- Cells at rest whose orders until they were read are listed by now.
select distinct k.cell_id from cut_checks k join cells c on c.id = k.cell_id
where c.connection_id = :connection_id and k.asked_at <= :until and c.read_asked_at <= :until
  and c.marked_at is null and c.op_id is null and c.known is not null
order by k.cell_id limit :limit;

-- name: end_cut_checks(ids)
-- The oldest check of each cell: what it finds is told apart from what a later one finds.
with gone as (
  delete from cut_checks k where k.cell_id = any(:ids::bigint[]) and not exists (
    select 1 from cut_checks older where older.cell_id = k.cell_id and older.known_from < k.known_from)
  returning k.cell_id, k.known_from, k.asked_at)
select cell_id, known_from, asked_at from gone order by cell_id;

-- name: standing_lines(cell_id, since)
-- The same of orders that were not taken back: those say nothing of what a level lacks.
select u.units, u.first_seen_at, u.unseen_at from order_lines o
cross join lateral (values (o.counted - o.grown, o.first_seen_at, o.unseen_at), (o.grown, o.grown_at, o.ungrown_at))
  as u (units, first_seen_at, unseen_at)
where o.cell_id = :cell_id and u.units > 0 and u.first_seen_at > :since
  and o.state in ('provisional', 'placed', 'shipped')
order by u.first_seen_at, o.order_id, o.line, u.units;

-- name: shown_of_cell(cell_id, since)
-- What levels showed of others at a cell since a time.
select delta as units, coalesce(previous_asked_at, asked_at) as since, answered_at as until from movements
where cell_id = :cell_id and kind = 'outside' and answered_at > :since order by id;

-- name: taken_since(cell_id, since)$
-- Units that decreases of ours were meant to take from a cell since a time.
select coalesce(-sum(delta), 0)::int from ops
where cell_id = :cell_id and delta < 0 and state = 'applied' and settled_at > :since;

-- name: note_falls(cells, at)!
-- Ledger cells that feed a channel whose sales somebody else books have fallen. Their rows are locked already.
update cells c set fell_at = greatest(c.fell_at, :at)
where c.id = any(:cells::bigint[]) and exists (
  select 1 from components k join pairs p on p.id = k.pair_id join routes r on r.id = p.route_id
  where k.ledger_cell = c.id and r.sales = 'expect' and r.state <> 'watching' and p.phase <> 'suspended');

-- name: expecting_channels(cells)
-- The channel cells that these ledger cells feed and whose sales somebody else books there.
select distinct c.id, c.connection_id from components k join pairs p on p.id = k.pair_id join routes r on r.id = p.route_id
join cells c on c.id = p.channel_cell
where k.ledger_cell = any(:cells::bigint[]) and r.sales = 'expect' and r.state <> 'watching' and p.phase <> 'suspended'
order by c.id;

-- name: lock_pairs_at(cells)
-- Every pair that has one of these cells on either side, locked in the one order everybody locks them in.
select p.id, p.channel_cell, r.sales = 'expect' and r.state <> 'watching' and p.phase <> 'suspended' as expects, r.booked_within
from pairs p join routes r on r.id = p.route_id
where p.id in (select w.id from pairs w where w.channel_cell = any(:cells::bigint[])
               union select k.pair_id from components k where k.ledger_cell = any(:cells::bigint[]))
order by p.id for update of p;

-- name: put_due_siblings(cells, heard, stamps)!
-- Ask for the other channel cells that live of the same ledger cells as these channel cells to be decided again.
insert into due (cell_id, heard_at, stamp)
select distinct other.channel_cell, u.heard_at, u.stamp
from unnest(:cells::bigint[], :heard::timestamptz[], :stamps::timestamptz[]) as u (cell_id, heard_at, stamp)
join pairs p on p.channel_cell = u.cell_id join components k on k.pair_id = p.id
join components shared on shared.ledger_cell = k.ledger_cell join pairs other on other.id = shared.pair_id
where other.channel_cell <> u.cell_id order by other.channel_cell;

-- name: expected_sales(pairs)
-- Sales of these pairs that are still to be booked, oldest first. Each was made after `opened_at`.
select e.pair_id, e.movement_id, e.open, e.reference, e.state, e.opened_at
from expected e where e.pair_id = any(:pairs::bigint[]) and e.open > 0 order by e.pair_id, e.movement_id;

-- name: expected_parts(pairs)
-- Where the sales of these pairs are expected.
select k.pair_id, p.shape, k.ledger_cell, k.ratio, k.intake, k.expected
from components k join pairs p on p.id = k.pair_id
where k.pair_id = any(:pairs::bigint[]) order by k.pair_id, k.ledger_cell;

-- name: open_bookings(cells)
-- Falls of these ledger cells that named a sale nobody knew of yet, oldest first.
select movement_id, ledger_cell, open, reference, found_at from bookings
where ledger_cell = any(:cells::bigint[]) and open > 0 order by movement_id for update;

-- name: looks_before(movements)
-- When these channel cells were looked at before their movements were found: a reading, or a list of orders.
select m.id, m.previous_asked_at as read_at, n.orders_swept_at as listed_at
from movements m join cells c on c.id = m.cell_id join connections n on n.id = c.connection_id
where m.id = any(:movements::bigint[]) order by m.id;

-- name: insert_expected(pairs, movements, units, opens, refs, opened, due)!
-- Sales that somebody else books; one that was booked before we heard of it is over already. They are open from the
-- last look that did not show them.
insert into expected (pair_id, movement_id, units, open, reference, state, opened_at, due_at, closed_at)
select u.pair_id, u.movement_id, u.units, u.open, u.reference, case when u.open = 0 then 'booked' else 'open' end, u.opened,
       u.due, case when u.open = 0 then u.opened end
from unnest(:pairs::bigint[], :movements::bigint[], :units::int[], :opens::int[], :refs::text[], :opened::timestamptz[],
            :due::timestamptz[]) as u (pair_id, movement_id, units, open, reference, opened, due)
order by u.movement_id;

-- name: save_expected(movements, opens, state, now)!
-- What is left of these sales; those of which nothing is left are over.
update expected e set open = u.open, state = case when u.open = 0 then :state else e.state end,
  closed_at = case when u.open = 0 then :now::timestamptz else e.closed_at end
from unnest(:movements::bigint[], :opens::int[]) as u (movement_id, open) where e.movement_id = u.movement_id;

-- name: save_parts(pairs, cells, units)!
update components k set expected = u.units
from unnest(:pairs::bigint[], :cells::bigint[], :units::int[]) as u (pair_id, cell_id, units)
where k.pair_id = u.pair_id and k.ledger_cell = u.cell_id;

-- name: use_bookings(movements, units)!
update bookings b set open = b.open - u.units
from unnest(:movements::bigint[], :units::int[]) as u (id, units) where b.movement_id = u.id;

-- name: movement_asked(movement_id)$
select asked_at from movements where id = :movement_id;

-- name: keep_booking(movement_id, ledger_cell, units, reference)!
-- A fall named more than anybody sold as far as we know: a sale that was booked before we heard of it may follow.
insert into bookings (movement_id, ledger_cell, units, open, reference, found_at)
select m.id, :ledger_cell, :units, :units, :reference, m.asked_at from movements m where m.id = :movement_id
on conflict (movement_id) do update set units = bookings.units + excluded.units, open = bookings.open + excluded.units,
  reference = case when bookings.reference = excluded.reference then excluded.reference else '' end;

-- name: forget_bookings(ledger_id)!
-- A fall that every channel cell was read later than is just a fall. What a nameless one was counted for is remembered
-- as long as a sale may still look for it.
with over as (
  select b.movement_id from bookings b join cells l on l.id = b.ledger_cell
  where l.connection_id = :ledger_id
    and not exists (
      select 1 from components k join pairs p on p.id = k.pair_id join routes r on r.id = p.route_id
      join cells c on c.id = p.channel_cell
      where k.ledger_cell = b.ledger_cell and r.sales = 'expect' and p.phase <> 'suspended'
        and (c.read_asked_at is null or c.read_asked_at <= b.found_at or c.dirty_since <= b.found_at))
    and not exists (
      select 1 from components k join expected e on e.pair_id = k.pair_id and e.state = 'open' and e.open > 0
      where k.ledger_cell = b.ledger_cell and b.open = 0)
  order by b.movement_id for update of b skip locked)
delete from bookings b using over where b.movement_id = over.movement_id;

-- name: due_sales(ledger_id, now, give_up, limit)
-- Sales that should have been booked by now. The ledger must have been read later than that, unless it cannot be.
select e.movement_id, e.pair_id, e.due_at, e.opened_at
from expected e join pairs p on p.id = e.pair_id join routes r on r.id = p.route_id
where e.state = 'open' and e.open > 0 and e.due_at <= :now and r.ledger_id = :ledger_id
  and (e.due_at <= :give_up or not exists (
    select 1 from components k join cells l on l.id = k.ledger_cell
    where k.pair_id = e.pair_id and (l.known is null or l.dirty_since <= e.due_at)))
order by e.due_at, e.movement_id limit :limit;

-- name: next_sale_due(ledger_id)$
select min(e.due_at) from expected e join pairs p on p.id = e.pair_id join routes r on r.id = p.route_id
where e.state = 'open' and e.open > 0 and r.ledger_id = :ledger_id;

-- name: ledger_cells_of(pairs)
select distinct ledger_cell from components where pair_id = any(:pairs::bigint[]) order by ledger_cell;

-- name: falls_since(cells, since)
-- Falls of these ledger cells, oldest first, less what they were counted for already.
select m.id, m.cell_id, -m.delta - coalesce(b.units, 0) as units, m.asked_at, m.previous_asked_at
from movements m left join bookings b on b.movement_id = m.id
where m.cell_id = any(:cells::bigint[]) and m.delta < 0 and m.kind = 'outside' and m.asked_at > :since
  and -m.delta > coalesce(b.units, 0)
order by m.id;

-- name: count_falls(movements, units)!
-- These falls are counted for sales that were released; nothing of them is open.
insert into bookings (movement_id, ledger_cell, units, open, found_at)
select m.id, m.cell_id, u.units, 0, m.asked_at
from unnest(:movements::bigint[], :units::int[]) as u (id, units) join movements m on m.id = u.id order by m.id
on conflict (movement_id) do update set units = bookings.units + excluded.units;

-- name: overdue_sales(movements)!
update expected set state = 'overdue' where movement_id = any(:movements::bigint[]) and open > 0;

-- name: overdue_of_pairs(pairs)
-- What these pairs are called, and how much of their sales is overdue.
select p.id, r.id as route_id, r.name || '/' || p.value || '/' || l.name as subject,
       coalesce(sum(e.open), 0)::int as units, min(m.asked_at) as since,
       coalesce(array_agg(e.reference order by e.movement_id) filter (where e.reference <> ''), '{}') as orders
from pairs p join routes r on r.id = p.route_id join cells c on c.id = p.channel_cell join locations l on l.id = c.location_id
left join expected e on e.pair_id = p.id and e.open > 0 and e.state = 'overdue'
left join movements m on m.id = e.movement_id
where p.id = any(:pairs::bigint[]) group by p.id, r.id, l.name order by p.id;

-- name: pairs_of_value(route_id, value)
-- The pairs of a route under one matching value, locked.
select id from pairs where route_id = :route_id and value = :value order by id for update;

-- name: sales_of_pairs(pairs)
-- Sales of these pairs that are still to be booked, oldest first, for a person.
select e.movement_id, e.pair_id, e.open, e.reference, e.state, m.asked_at as heard_at, e.due_at, l.name as location
from expected e join movements m on m.id = e.movement_id join pairs p on p.id = e.pair_id join cells c on c.id = p.channel_cell join locations l on l.id = c.location_id
where e.pair_id = any(:pairs::bigint[]) and e.open > 0 order by e.movement_id;

-- name: recent_postings(cells, since)
-- What we booked in these ledger cells for channels, oldest first, and for which route.
select distinct o.id, o.cell_id, -o.delta as units, o.composed_at, r.id as route_id, r.name as route
from ops o join op_parts x on x.op_id = o.id join pairs p on p.id = x.pair_id join routes r on r.id = p.route_id
where o.cell_id = any(:cells::bigint[]) and o.composed_at > :since and o.delta < 0 and o.cause = 'live'
  and o.state = 'applied' and r.sales = 'post' and r.state = 'running'
  and o.composed_at > coalesce((select max(a.opened_at) from alerts a
                                where a.code = 'orders_booked_twice' and a.route_id = r.id), '-infinity')
order by o.composed_at, o.id;

-- name: recent_falls(cells, since)
-- How others lowered these ledger cells, oldest first, with the cause where it is known.
select m.cell_id, -m.delta as units, m.asked_at, coalesce(x.cause, '') as cause
from movements m left join movement_causes x on x.movement_id = m.id
where m.cell_id = any(:cells::bigint[]) and m.asked_at > :since and m.delta < 0 and m.kind = 'outside' order by m.id;

-- name: learn_cause(movement_id, cause, reference, learnt_at)$
-- The cause of a movement is learnt once; says whether this was the time.
insert into movement_causes (movement_id, cause, reference, learnt_at)
values (:movement_id, :cause, :reference, :learnt_at) on conflict do nothing returning true;

-- name: history_of_movement(movement_id)
-- What helps to find a movement in the partner's history: the level after it, whether a sale may wait for its cause, and
-- the rows of history that earlier movements and our own ops on this cell are.
select m.after,
  exists (select 1 from components k join pairs p on p.id = k.pair_id join routes r on r.id = p.route_id
          where k.ledger_cell = m.cell_id and r.sales = 'expect') as matters,
  coalesce((select array_agg(distinct part) from movements e join movement_causes x on x.movement_id = e.id,
            unnest(string_to_array(x.reference, ',')) as part
            where e.cell_id = m.cell_id and e.id < m.id and e.asked_at > m.asked_at - interval '1 day'), '{}')
  || coalesce((select array_agg(o.reference order by o.reference) from ops o
               where o.cell_id = m.cell_id and o.reference is not null
                 and o.composed_at > m.asked_at - interval '1 day'), '{}') as spoken_for
from movements m where m.id = :movement_id;

-- name: told_differently(connection_id, items, locations, committed, aside)
-- Cells of a list that tell another number than we know of what orders have taken, or of what is laid away, where a
-- route goes by it.
select i.key as item_key, l.key as location_key
from unnest(:items::text[], :locations::text[], :committed::int[], :aside::int[]) as u (item, location, committed, aside)
join items i on i.connection_id = :connection_id and i.key = u.item
join locations l on l.connection_id = :connection_id and l.key = u.location
join cells c on c.item_id = i.id and c.location_id = l.id
where (c.committed <> u.committed
       and exists (select 1 from pairs p join routes r on r.id = p.route_id
                   where p.channel_cell = c.id and r.ledger_basis = 'on_hand'))
   or (c.aside <> u.aside
       and exists (select 1 from components k join pairs p on p.id = k.pair_id join routes r on r.id = p.route_id
                   where k.ledger_cell = c.id and r.ledger_basis = 'stock_minus_layaway'))
order by c.id;

-- name: close_sales_alerts(now)!
-- Alerts that state alone shows to be over: nothing is overdue any more, or a person has decided who books the sales.
update alerts a set closed_at = :now
where a.closed_at is null and (
  (a.code = 'orders_booked_twice'
   and not exists (select 1 from routes r where r.id = a.route_id and r.blockers ? 'orders_booked_twice'))
  or (a.code = 'sale_not_booked'
      and not exists (
        select 1 from expected e join pairs p on p.id = e.pair_id join routes r on r.id = p.route_id
        join cells c on c.id = p.channel_cell join locations l on l.id = c.location_id
        where e.state = 'overdue' and e.open > 0 and a.subject = r.name || '/' || p.value || '/' || l.name)));

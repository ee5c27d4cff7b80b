-- name: brake_places(cells, now)
-- Where these cells stand: each living pair of a running route on either side. `off`: a person keeps the brake off there.
-- `stocktake`: the route's ledger is being counted.
with places as (
  select p.channel_cell as cell_id, p.id as pair_id, p.route_id, false as is_ledger, p.shape, p.phase
  from pairs p where p.channel_cell = any(:cells::bigint[])
  union all
  select k.ledger_cell, p.id, p.route_id, true, p.shape, p.phase
  from components k join pairs p on p.id = k.pair_id where k.ledger_cell = any(:cells::bigint[]))
select w.cell_id, w.pair_id, w.route_id, w.is_ledger, w.shape, r.name as route, r.sales = 'expect' as expects,
       coalesce(r.brake_off_until > :now, false) as off,
       w.is_ledger and exists (select 1 from stocktakes t where t.route_id = r.id and t.ended_at is null) as stocktake
from places w join routes r on r.id = w.route_id
where r.state = 'running' and w.phase in ('live', 'catching_up', 'waiting')
order by w.cell_id, w.route_id, w.pair_id;

-- name: pool_sums(pairs)
-- What the pools of these pairs show together.
select s.pair_id, coalesce(sum(s.shown), 0)::bigint as shown
from pair_sides s where s.pair_id = any(:pairs::bigint[]) group by s.pair_id order by s.pair_id;

-- name: cells_turned(since, but)$
-- How many other cells went up or to zero since then, of whatever route: at least as many as of any side of one.
select count(*) from (
  select m.cell_id from movements m where m.turn and m.asked_at > :since
    and m.cell_id not in (select unnest(:but::bigint[])) group by m.cell_id) as t;

-- name: ledger_cells_turned(route_id, since, but)$
-- How many other ledger cells of a route went up or to zero since then.
select count(*) from (
  select m.cell_id from movements m where m.turn and m.asked_at > :since
    and m.cell_id not in (select unnest(:but::bigint[])) group by m.cell_id) as t
where exists (select 1 from components k join pairs p on p.id = k.pair_id
              where k.ledger_cell = t.cell_id and p.route_id = :route_id);

-- name: channel_cells_turned(route_id, since, but)$
-- How many other channel cells of a route went up or to zero since then.
select count(*) from (
  select m.cell_id from movements m where m.turn and m.asked_at > :since
    and m.cell_id not in (select unnest(:but::bigint[])) group by m.cell_id) as t
where exists (select 1 from pairs p where p.channel_cell = t.cell_id and p.route_id = :route_id);

-- name: channel_cells_of_route(route_id, most)$
-- How many channel cells a route has; no more are counted than matter. Each stands in one pair.
select count(*) from (
  select 1 from pairs p where p.route_id = :route_id and p.phase <> 'suspended' limit :most) as found;

-- name: ledger_cells_of_route(route_id, most)$
-- How many ledger cells a route has; no more are counted than matter. Where each pair has cells of its own, enough pairs
-- are enough cells.
with few as materialized (
  select count(*) as pairs from (
    select 1 from pairs p where p.route_id = :route_id and p.phase <> 'suspended' limit :most) as found)
select case
  when few.pairs >= :most and r.listings = 'one' and not exists (select 1 from route_sets s where s.route_id = r.id)
  then few.pairs
  else (select count(*) from (
    select k.ledger_cell from pairs p join components k on k.pair_id = p.id
    where p.route_id = :route_id and p.phase <> 'suspended' group by k.ledger_cell limit :most) as found) end
from few, routes r where r.id = :route_id;

-- name: open_holds(cells)
-- What is held of these cells, newest first. The cells are locked.
select id, cell_id, reason, movement_id, units, taken_back, held_at from holds
where cell_id = any(:cells::bigint[]) and released_at is null order by cell_id, id desc;

-- name: insert_holds(routes, cells, reasons, movements, units, now)!
insert into holds (route_id, cell_id, reason, movement_id, units, held_at)
select u.route_id, u.cell_id, u.reason, u.movement_id, u.units, :now
from unnest(:routes::bigint[], :cells::bigint[], :reasons::text[], :movements::bigint[], :units::int[])
  as u (route_id, cell_id, reason, movement_id, units) order by u.movement_id;

-- name: take_back_holds(ids, taken, over, now)!
-- An opposite movement made up for units that were held; those of which nothing is left are over.
update holds h set taken_back = h.taken_back + u.taken, released_at = case when u.over then :now::timestamptz end,
  released_by = case when u.over then 'taken back' else '' end
from unnest(:ids::bigint[], :taken::int[], :over::bool[]) as u (id, taken, over) where h.id = u.id;

-- name: end_holds(ids, by, now)!
update holds set released_at = :now, released_by = :by where id = any(:ids::bigint[]) and released_at is null;

-- name: set_held_back(ids, units, highest)!
-- What is held of these cells now. A level that is held is not the highest that the cell ever had.
update cells c set held_back = u.units, highest = least(c.highest, u.highest)
from unnest(:ids::bigint[], :units::int[], :highest::int[]) as u (id, units, highest) where c.id = u.id;

-- name: held_cells_of(route_id)
-- Cells on either side of a route of which something is held.
select c.id from cells c
where c.held_back <> 0 and (
  exists (select 1 from pairs p where p.channel_cell = c.id and p.route_id = :route_id)
  or exists (select 1 from components k join pairs p on p.id = k.pair_id
             where k.ledger_cell = c.id and p.route_id = :route_id))
order by c.id;

-- name: held_cells_of_pairs(pairs)
select c.id from cells c
where c.held_back <> 0 and c.id in (
  select channel_cell from pairs where id = any(:pairs::bigint[])
  union select ledger_cell from components where pair_id = any(:pairs::bigint[]))
order by c.id;

-- name: held_pairs(pairs)
-- Which of these pairs have a cell of which something is held.
select k.pair_id from components k join cells c on c.id = k.ledger_cell
where k.pair_id = any(:pairs::bigint[]) and c.held_back <> 0
union
select p.id from pairs p join cells c on c.id = p.channel_cell
where p.id = any(:pairs::bigint[]) and c.held_back <> 0 order by pair_id;

-- name: forget_holds_of(cells, by, now)!
-- What these cells were known to hold is known no more, so nothing of it can be held back.
with over as (
  update holds set released_at = :now, released_by = :by
  where cell_id = any(:cells::bigint[]) and released_at is null)
update cells set held_back = 0 where id = any(:cells::bigint[]) and held_back <> 0;

-- name: held_all(limit)
-- Movements that are held, with the numbers of their cells: by route (each that the cell stands in), oldest first.
-- `movements` and `newest` are of all of them, listed or not; without a limit, all are listed.
select h.id, r.name as route, r.id as route_id, h.reason, n.name as connection, i.key as item, i.name,
       coalesce(i.codes ->> (case when w.is_ledger then r.ledger_field else r.channel_fields[1] end), i.key) as code,
       l.key as location_key, l.name as location, h.cell_id, w.is_ledger, h.units - h.taken_back as units, c.known,
       c.held_back, h.held_at, h.movement_id, m.before, m.after, count(*) over () as movements, max(h.id) over () as newest
from holds h join cells c on c.id = h.cell_id join items i on i.id = c.item_id join locations l on l.id = c.location_id
join connections n on n.id = c.connection_id join movements m on m.id = h.movement_id
join lateral (
  select distinct p.route_id, false as is_ledger from pairs p where p.channel_cell = c.id
  union select distinct p.route_id, true from components k join pairs p on p.id = k.pair_id where k.ledger_cell = c.id) w on true
join routes r on r.id = w.route_id
where h.released_at is null order by r.id, h.id limit :limit::bigint;

-- name: codes_of_cells(route_id, cells, limit)
-- The codes of cells on either side of a route, as the route calls them.
select distinct coalesce(
  i.codes ->> (case when c.connection_id = r.ledger_id then r.ledger_field else r.channel_fields[1] end), i.key) as code
from routes r join cells c on c.id = any(:cells::bigint[]) join items i on i.id = c.item_id
where r.id = :route_id order by code limit :limit;

-- name: held_by_route()
-- How many cells of each route are held, for whatever reason.
select r.name as route,
  (select count(*) from cells c where c.held_back <> 0 and (
     exists (select 1 from pairs p where p.channel_cell = c.id and p.route_id = r.id)
     or exists (select 1 from components k join pairs p on p.id = k.pair_id where k.ledger_cell = c.id and p.route_id = r.id)))
  as cells
from routes r where r.stopped_by <> 'removed' order by r.id;

-- name: held_counts(route_id, reason)^
-- What is held of a route for one reason: cells, and units of rises and zeroings.
select count(distinct h.cell_id) as cells, coalesce(sum(greatest(h.units - h.taken_back, 0)), 0)::bigint as up,
       coalesce(sum(least(h.units - h.taken_back, 0)), 0)::bigint as down,
       count(distinct h.cell_id) filter (where h.units < 0) as to_zero
from holds h
where h.released_at is null and h.reason = :reason and (
  exists (select 1 from pairs p where p.channel_cell = h.cell_id and p.route_id = :route_id)
  or exists (select 1 from components k join pairs p on p.id = k.pair_id
             where k.ledger_cell = h.cell_id and p.route_id = :route_id));

-- name: set_brake_off(route_id, until)!
update routes set brake_off_until = :until where id = :route_id;

-- name: brakes_off(now)
select name, brake_off_until from routes where brake_off_until > :now order by id;

-- name: held_movement(movement_id)
-- The open hold of a movement.
select id, cell_id, units, taken_back from holds where movement_id = :movement_id and released_at is null order by id;

-- name: close_safety_alerts(now)!
-- Alerts that state alone shows to be over: nothing of the route is held any more, the cell was let in again; the pairs
-- that were uncertain went with their mapping, so that nobody can count them.
update alerts a set closed_at = :now
where a.closed_at is null and (
  (a.code in ('brake', 'stocktake') and not exists (
     select 1 from holds h where h.released_at is null and h.reason = a.code and (
       exists (select 1 from pairs p where p.channel_cell = h.cell_id and p.route_id = a.route_id)
       or exists (select 1 from components k join pairs p on p.id = k.pair_id
                  where k.ledger_cell = h.cell_id and p.route_id = a.route_id))))
  or (a.code = 'second_writer' and not exists (
     select 1 from routes r where r.blockers ? 'second_writer' and a.connection_id in (r.ledger_id, r.channel_id)))
  or (a.code = 'runaway' and not exists (
     select 1 from quarantine q where q.code = 'IS-SAF-001' and not q.excluded
       and q.cell_id = (a.detail ->> 'cell')::bigint))
  or (a.code = 'uncertain' and a.seen_at < :now::timestamptz - interval '1 day' and not exists (
     select 1 from pairs p join routes r on r.id = p.route_id
     where p.uncertain > 0 and a.connection_id in (r.ledger_id, r.channel_id))));

-- name: start_stocktake(route_id, actor, now)$
insert into stocktakes (route_id, started_at, started_by) values (:route_id, :now, :actor)
on conflict (route_id) where ended_at is null do nothing returning id;

-- name: open_stocktake(route_id)^
select id, started_at, started_by from stocktakes where route_id = :route_id and ended_at is null;

-- name: end_stocktake(id, actor, now)!
update stocktakes set ended_at = :now, ended_by = :actor where id = :id and ended_at is null;

-- name: stocktake_cells(route_id)
-- What a stock-take found more of, each ledger cell with what is ordered and unshipped on all channels it feeds, what
-- channels sold and nobody booked yet, and what we have yet to book. In units of the ledger.
select c.id as cell_id, i.key as item, i.name, coalesce(i.codes ->> r.ledger_field, i.key) as code, l.key as location_key,
       l.name as location, c.known - c.held_back as before, c.known as after, sum(h.units - h.taken_back)::int as units,
       max(h.id) as newest, o.committed, o.expected, o.owed
from routes r join holds h on h.released_at is null and h.reason = 'stocktake'
join cells c on c.id = h.cell_id and c.connection_id = r.ledger_id
join items i on i.id = c.item_id join locations l on l.id = c.location_id
join lateral (
  select coalesce(sum(cc.committed * k.ratio) filter (where k.intake), 0)::int as committed,
         coalesce(sum(k.expected * k.ratio), 0)::int as expected,
         coalesce(sum((k.owed_down + k.sent_down) * k.ratio), 0)::int as owed,
         bool_or(p.route_id = r.id) as ours
  from components k join pairs p on p.id = k.pair_id join cells cc on cc.id = p.channel_cell
  where k.ledger_cell = c.id) o on o.ours
where r.id = :route_id
group by r.id, c.id, i.id, l.id, o.committed, o.expected, o.owed order by code, location_key, c.id;

-- name: count_pairs(ids)
-- A person counted: what these pairs were uncertain by is settled.
with wanted as (select id, value, uncertain from pairs where id = any(:ids::bigint[]) and uncertain > 0 order by id for update),
done as (update pairs p set uncertain = 0 from wanted w where w.id = p.id)
select id, value, uncertain from wanted order by id;

-- name: pairs_counted_since(route_id, since)
-- Pairs of a route that are uncertain and whose ledger cells were all read since.
select p.id from pairs p
where p.route_id = :route_id and p.uncertain > 0 and not exists (
  select 1 from components k join cells l on l.id = k.ledger_cell
  where k.pair_id = p.id and (l.read_asked_at is null or l.read_asked_at <= :since or l.marked_at is not null))
order by p.id;

-- name: uncertain_left(connection_id)$
-- Whether any pair with a cell of this connection is still uncertain.
select exists (
  select 1 from pairs p where p.uncertain > 0 and (
    exists (select 1 from cells c where c.id = p.channel_cell and c.connection_id = :connection_id)
    or exists (select 1 from components k join cells l on l.id = k.ledger_cell
               where k.pair_id = p.id and l.connection_id = :connection_id)));

-- name: note_undone(movements, cells, deltas, since, connection_id, at)
-- Movements that took back exactly the last write of ours, which nobody moved the cell after.
insert into undone (movement_id, op_id, cell_id, connection_id, at)
select u.movement_id, o.id, u.cell_id, :connection_id, :at
from unnest(:movements::bigint[], :cells::bigint[], :deltas::int[]) as u (movement_id, cell_id, delta)
join lateral (
  select o.id, o.delta from ops o where o.cell_id = u.cell_id and o.composed_at > :since and o.state = 'applied'
  order by o.composed_at desc, o.id desc limit 1) o on o.delta = -u.delta
where not exists (select 1 from movements m join ops p on p.id = o.id
                  where m.cell_id = u.cell_id and m.id < u.movement_id and m.kind = 'outside' and m.asked_at > p.composed_at)
order by u.movement_id returning movement_id, cell_id;

-- name: undone_lately(connection_id, since)
-- How often our writes were undone, by item.
select c.item_id, count(*)::int as times from undone x join cells c on c.id = x.cell_id
where x.connection_id = :connection_id and x.at > :since group by c.item_id order by c.item_id;

-- name: undone_cells(connection_id, since, times)
-- The items whose writes were undone so often, as a person knows them.
select i.key, i.name, i.codes, l.name as location, count(*)::int as times
from undone x join cells c on c.id = x.cell_id join items i on i.id = c.item_id join locations l on l.id = c.location_id
where x.connection_id = :connection_id and x.at > :since
group by i.id, l.id having count(*) >= :times order by i.key, l.id;

-- name: forget_undone(connection_id)!
delete from undone where connection_id = :connection_id;

-- name: latest_movements(cells, since, most)
-- The latest movements of these cells that a reading found, oldest first, and how often our writes there were undone.
select u.cell_id, f.deltas, (select count(*) from undone x where x.cell_id = u.cell_id and x.at > :since)::int as undone
from unnest(:cells::bigint[]) as u (cell_id)
join lateral (
  select array_agg(m.delta order by m.id) as deltas from (
    select m.id, m.delta from movements m
    where m.cell_id = u.cell_id and m.kind = 'outside' and m.asked_at > :since order by m.id desc limit :most) m) f on true
where exists (select 1 from pairs p join routes r on r.id = p.route_id where p.channel_cell = u.cell_id and r.state = 'running')
   or exists (select 1 from components k join pairs p on p.id = k.pair_id join routes r on r.id = p.route_id
              where k.ledger_cell = u.cell_id and r.state = 'running')
order by u.cell_id;

-- name: cell_names(ids)
-- Cells as a person knows them.
select c.id, n.id as connection_id, n.name as connection, i.key as item, i.name, l.name as location
from cells c join connections n on n.id = c.connection_id join items i on i.id = c.item_id
join locations l on l.id = c.location_id where c.id = any(:ids::bigint[]) order by c.id;

-- name: stop_cells(ids)!
update cells set quarantined = true, gap = 0 where id = any(:ids::bigint[]);

-- name: exclude_cells(ids, code, reason, now)
-- A person keeps cells out; one that is in quarantine already keeps the reason for that.
insert into quarantine (cell_id, code, reason, since, excluded)
select c.id, :code, :reason, :now, true from cells c
where c.id = any(:ids::bigint[])
  and (exists (select 1 from pairs p where p.channel_cell = c.id) or exists (select 1 from components k where k.ledger_cell = c.id))
order by c.id
on conflict (cell_id) do update set excluded = true
returning cell_id;

-- name: excluded_among(ids)
select cell_id from quarantine where cell_id = any(:ids::bigint[]) and excluded order by cell_id;

-- name: believed_gone(ids)
-- Cells whose item the catalogue no longer lists.
select c.id from cells c join items i on i.id = c.item_id where c.id = any(:ids::bigint[]) and i.gone order by c.id;

-- name: cells_with_rows(connection_id)$
-- How many cells of a connection had a row with a number when they were read.
select count(*) from cells where connection_id = :connection_id and condition = 'active' and had_row and known is not null;

-- name: recent_orders(cells, limit)
-- The latest orders that took these channel cells' units, newest first, each once.
select order_id from (
  select distinct on (order_id) order_id, placed_at from order_lines
  where cell_id = any(:cells::bigint[]) and quantity > 0 and state in ('provisional', 'placed')
  order by order_id, placed_at desc) as found order by placed_at desc, order_id limit :limit;

-- name: channels_of_ledgers(cells)
-- Every channel cell that lives of the same ledger cells as these channel cells.
select distinct p.channel_cell from pairs p join components k on k.pair_id = p.id
where k.ledger_cell in (select k2.ledger_cell from components k2 join pairs p2 on p2.id = k2.pair_id
                        where p2.channel_cell = any(:cells::bigint[])) order by p.channel_cell;

-- name: count_locations(connection_id)$
select count(*) from locations where connection_id = :connection_id and active;

-- name: forget_undone_of(cells)!
-- A person let these cells be written again: what happened before counts no more.
delete from undone where cell_id = any(:cells::bigint[]);

-- name: rises_lately(route_id, since)
-- Rises of a route's ledger cells that the brake counted and that were never held, oldest first.
select m.id, m.cell_id, m.delta from movements m
where m.turn and m.asked_at > :since and m.delta > 0
  and exists (select 1 from components k join pairs p on p.id = k.pair_id
              where k.ledger_cell = m.cell_id and p.route_id = :route_id and p.phase <> 'suspended')
  and not exists (select 1 from holds h where h.movement_id = m.id)
order by m.cell_id, m.id;

-- name: oversold_among(cells)
-- Which running pairs of these channel cells have an effective quantity below zero.
select p.id, p.value, p.channel_cell, r.id as route_id, r.name as route, l.name as location, e.effective
from pairs p join routes r on r.id = p.route_id and r.state = 'running'
join cells c on c.id = p.channel_cell join locations l on l.id = c.location_id
join lateral (
  select case when p.shape = 'set' then min(floor((s.shown + s.pending_down + s.own_up)::numeric / s.ratio))
              else sum(s.shown + s.pending_down + s.own_up) end::int as effective
  from pair_sides s where s.pair_id = p.id) e on e.effective < 0
where p.channel_cell = any(:cells::bigint[]) and p.phase in ('live', 'catching_up', 'waiting') order by p.id;

-- name: lines_to_weigh(connection_id, expire_before, limit)
-- Lines that are weighed again without being listed: a route knows their item by now, or they are unpaid for too long.
select o.order_id, o.line, o.item_key, o.location_key, o.quantity, o.state, o.payment, o.placed_at
from order_lines o
where o.connection_id = :connection_id and (
  (o.kept and exists (
    select 1 from items i join locations l on l.connection_id = i.connection_id and l.key = o.location_key
    join cells c on c.item_id = i.id and c.location_id = l.id join pairs p on p.channel_cell = c.id
    where i.connection_id = o.connection_id and i.key = o.item_key and p.phase not in ('new', 'waiting')))
  or (o.payment = 'unpaid' and o.state in ('provisional', 'placed') and o.first_seen_at <= :expire_before
      and (o.held > 0 or (o.told > 0 and o.quantity > o.live))))
order by o.first_seen_at, o.order_id, o.line limit :limit;

-- name: items_without_stock(connection_id, items)
-- Those of the items that have no stock number to keep an order for: not limited, or made of others.
select key from items where connection_id = :connection_id and key = any(:items::text[]) and (not tracked or bundle)
order by key;

-- name: adopt_kept(route_id)
-- Orders that were kept for an item belong to its cell from the moment a route knows it.
update order_lines o set cell_id = c.id
from routes r join items i on i.connection_id = r.channel_id
join cells c on c.item_id = i.id join locations l on l.id = c.location_id join pairs p on p.channel_cell = c.id
where r.id = :route_id and p.route_id = r.id and o.kept and o.connection_id = r.channel_id and o.cell_id is null
  and o.item_key = i.key and o.location_key = l.key
returning o.cell_id;

-- name: kept_cells(route_id)
-- Cells of a route's pairs that orders are kept for.
select distinct p.channel_cell from pairs p join order_lines o on o.cell_id = p.channel_cell
where p.route_id = :route_id and o.kept order by p.channel_cell;

-- name: waive(ids, units)!
-- What these levels may yet do by themselves, because an order that nobody was told of changed.
update cells c set waived = c.waived || u.units
from (select id, array_agg(units order by units) as units from unnest(:ids::bigint[], :units::int[]) as w (id, units)
      group by id) as u
where c.id = u.id;

-- name: kept_summary(connection_id)^
-- How much of a connection's orders is kept, since when, and the numbers and items.
select count(*)::int as lines, coalesce(sum(quantity), 0)::int as units, min(first_seen_at) as since,
       array_agg(distinct order_id order by order_id) as orders, array_agg(distinct item_key order by item_key) as items
from order_lines where connection_id = :connection_id and kept;

-- name: waiting_orders(connection)
-- Order lines that do not count yet, or no more: kept for an unknown item, held, or not counted. Oldest first.
select n.name as connection, o.order_id, o.line, o.item_key, coalesce(i.name, '') as name, o.quantity, o.state,
       o.payment, o.kept, o.held, o.live, o.counted, o.first_seen_at
from order_lines o join connections n on n.id = o.connection_id
left join items i on i.connection_id = o.connection_id and i.key = o.item_key
where (o.kept or o.held > 0 or o.live > 0) and (:connection::text is null or n.name = :connection)
order by o.first_seen_at, n.name, o.order_id, o.line;

-- name: explain_waiting(cells, limit)
-- Orders of these cells that do not count, or count only as held.
select cell_id, order_id, line, held, live, kept, state from order_lines
where cell_id = any(:cells::bigint[]) and (kept or held > 0 or live > 0)
order by cell_id, first_seen_at, order_id, line limit :limit;

-- name: explain_kept(connection_id, item_key, limit)
-- Orders that are kept for an item which no route knows.
select order_id, quantity from order_lines where connection_id = :connection_id and item_key = :item_key and kept
order by first_seen_at, order_id, line limit :limit;

-- name: drop_kept(connection_id, orders)
-- A person says that these orders are not to be told of: they count as known from now on.
with gone as (
  select connection_id, order_id, line, cell_id from order_lines
  where connection_id = :connection_id and order_id = any(:orders::text[]) and kept order by order_id, line for update)
update order_lines o set kept = false, held = 0, counted = o.counted + o.live, parked = o.parked - o.live, live = 0
from gone g where o.connection_id = g.connection_id and o.order_id = g.order_id and o.line = g.line
returning o.order_id, o.line, o.item_key, o.quantity, o.cell_id;

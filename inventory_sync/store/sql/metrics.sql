-- name: oversold_by_route()
-- How many running pairs of each route have an effective quantity below zero.
select r.name as route,
       (select count(*) from (
          select p.id from pairs p join pair_effective e on e.pair_id = p.id
          where p.route_id = r.id and p.phase in ('live', 'catching_up', 'waiting') and e.effective < 0) as short) as cells
from routes r where r.state = 'running' order by r.id;

-- name: leases_of(owner)
-- Which lanes an owner holds now, by the database's clock.
select n.name as connection, coalesce(l.owner = :owner and l.expires_at > inventory_clock(), false) as held
from connections n left join leases l on l.connection_id = n.id order by n.id;

-- name: routes_of_ops(ops, cells)
-- The routes whose change an op carried: that of its channel cell, or those of the owed units it took to the ledger.
select distinct u.op, r.name as route
from unnest(:ops::text[], :cells::bigint[]) as u (op, cell)
join pairs p on p.channel_cell = u.cell
join routes r on r.id = p.route_id
union
select distinct u.op, r.name
from unnest(:ops::text[]) as u (op)
join op_parts t on t.op_id = u.op
join pairs p on p.id = t.pair_id
join routes r on r.id = p.route_id
order by op, route;

-- name: schema_version()$
select version_num from alembic_version order by version_num limit 1;

-- name: expected_by_route()
-- How many sales of each route somebody else is still to book, overdue ones too.
select r.name as route,
       (select count(*) from expected e join pairs p on p.id = e.pair_id where p.route_id = r.id and e.open > 0) as sales
from routes r where r.stopped_by <> 'removed' order by r.id;

-- name: pair_states(cells)
-- All that decides what these channel cells are told: one row a component, in the order of channel cell and ledger cell.
select p.channel_cell, p.id as pair_id, p.phase, p.kept, r.id as route_id, r.state as route_state, r.direction,
       r.buffer, r.percent, r.maximum, k.ratio, l.id as ledger_cell, l.known as ledger_known,
       l.condition = 'active' as ledger_readable, l.marked_at is not null as ledger_dirty,
       (exists (select 1 from ops o where o.id = l.op_id and o.state = 'in_doubt') or l.compensate > 0)
         as ledger_in_doubt,
       (select coalesce(sum((p2.owed_down + p2.sent_down) * k2.ratio), 0)::int
          from components k2 join pairs p2 on p2.id = k2.pair_id
          where k2.ledger_cell = l.id and (p2.phase <> 'new' or p2.id = p.id))
         + least(l.compensate, 0) + least(l.compensate_sent, 0) as pending_down,
       (p.owed_up + p.sent_up) * k.ratio as own_up
from pairs p
join routes r on r.id = p.route_id
join components k on k.pair_id = p.id
join cells l on l.id = k.ledger_cell
where p.channel_cell = any(:cells::bigint[])
order by p.channel_cell, l.id;

-- name: ledger_owed(cells)
-- What may be posted to these ledger cells now: increases only of pairs that wait for nothing.
select k.ledger_cell,
       coalesce(sum(p.owed_down * k.ratio), 0)::int as owed_down,
       coalesce(sum(case when p.phase = 'live' then p.owed_up else 0 end * k.ratio), 0)::int as owed_up
from components k
join pairs p on p.id = k.pair_id
join routes r on r.id = p.route_id
where k.ledger_cell = any(:cells::bigint[]) and r.state = 'running' and r.direction in ('two_way', 'channel_to_ledger')
  and p.phase in ('live', 'catching_up', 'waiting')
group by k.ledger_cell order by k.ledger_cell;

-- name: lock_owing_pairs(ledger_cells, down)
-- The pairs whose movements an op of this sign to these ledger cells carries, locked in their order.
select p.id, k.ledger_cell, k.ratio, case when :down then p.owed_down else p.owed_up end as units
from pairs p
join components k on k.pair_id = p.id
join routes r on r.id = p.route_id
where k.ledger_cell = any(:ledger_cells::bigint[]) and r.state = 'running'
  and r.direction in ('two_way', 'channel_to_ledger')
  and ((:down and p.owed_down <> 0 and p.phase in ('live', 'catching_up', 'waiting'))
       or (not :down and p.owed_up <> 0 and p.phase = 'live'))
order by p.id, k.ledger_cell for update of p;

-- name: send_owed(ids, units)!
-- Units owed to the ledger are in an op now.
update pairs p set owed_down = p.owed_down - least(u.units, 0), sent_down = p.sent_down + least(u.units, 0),
  owed_up = p.owed_up - greatest(u.units, 0), sent_up = p.sent_up + greatest(u.units, 0)
from unnest(:ids::bigint[], :units::int[]) as u (id, units) where p.id = u.id;

-- name: end_sent(ids, units, returned)!
-- An op to the ledger has its outcome; what was not done is owed again.
with locked as (select id from pairs where id = any(:ids::bigint[]) order by id for update)
update pairs p set sent_down = p.sent_down - least(u.units, 0), sent_up = p.sent_up - greatest(u.units, 0),
  owed_down = p.owed_down + least(u.returned, 0), owed_up = p.owed_up + greatest(u.returned, 0)
from (select id, sum(least(units, 0))::int as d, sum(units)::int as units, sum(returned)::int as returned
      from unnest(:ids::bigint[], :units::int[], :returned::int[]) as x (id, units, returned) group by id) as u, locked
where p.id = u.id and locked.id = p.id;

-- name: move_channel(cells, deltas)!
-- The channel moved: the ledger is owed it. While a route is stopped or catching up, it is also counted apart.
with moved as (select * from unnest(:cells::bigint[], :deltas::int[]) as u (cell_id, delta)),
locked as (select p.id from pairs p join moved m on m.cell_id = p.channel_cell order by p.id for update of p)
update pairs p set owed_down = p.owed_down + least(m.delta, 0), owed_up = p.owed_up + greatest(m.delta, 0),
  channel_up = p.channel_up
    + case when r.state <> 'running' or p.phase = 'catching_up' then greatest(m.delta, 0) else 0 end
from moved m, locked, routes r
where p.channel_cell = m.cell_id and locked.id = p.id and r.id = p.route_id;

-- name: move_ledger(cells, deltas)!
-- The ledger moved while a route was stopped or catching up.
with moved as (select * from unnest(:cells::bigint[], :deltas::int[]) as u (cell_id, delta)),
touched as (
  select p.id, sum(m.delta)::int as delta from moved m join components k on k.ledger_cell = m.cell_id
  join pairs p on p.id = k.pair_id join routes r on r.id = p.route_id
  where r.state <> 'running' or p.phase = 'catching_up' group by p.id),
locked as (select p.id from pairs p join touched t on t.id = p.id order by p.id for update of p)
update pairs p set ledger_moved = p.ledger_moved + t.delta from touched t, locked where p.id = t.id and locked.id = p.id;

-- name: caught_up(cells)
-- Pairs of these channel cells that are catching up and whose cells are all read and clean.
select p.id, p.channel_cell, p.ledger_moved, p.channel_up
from pairs p join cells c on c.id = p.channel_cell
where p.channel_cell = any(:cells::bigint[]) and p.phase = 'catching_up' and c.marked_at is null and c.known is not null
  and not exists (select 1 from components k join cells l on l.id = k.ledger_cell
                  where k.pair_id = p.id and (l.marked_at is not null or l.known is null))
order by p.id for update of p;

-- name: based_pairs(cells)
-- New pairs of these channel cells in running routes, with both sides read.
select p.id, p.channel_cell, p.route_id, p.phase_reason, c.known as channel_known, r.align, r.ever_aligned,
       r.name as route
from pairs p join cells c on c.id = p.channel_cell join routes r on r.id = p.route_id
where p.channel_cell = any(:cells::bigint[]) and p.phase = 'new' and r.state = 'running'
  and c.known is not null and c.condition = 'active'
  and not exists (select 1 from components k join cells l on l.id = k.ledger_cell
                  where k.pair_id = p.id and (l.known is null or l.condition <> 'active'))
order by p.id for update of p;

-- name: aligned_lately(route_id, since)$
-- Pairs of a route that were aligned singly since a time.
select count(*) from pairs where route_id = :route_id and phase = 'live' and phase_since > :since and made_at > :since;

-- name: set_phase(ids, phase, reason, now)!
update pairs set phase = :phase, phase_reason = :reason, phase_since = :now where id = any(:ids::bigint[]);

-- name: align_pairs(ids, kept, owed, now)!
-- A gap is confirmed: the pair lives, keeps what it keeps, and owes the ledger what the channel won.
update pairs p set phase = 'live', phase_reason = '', phase_since = :now, kept = u.kept,
  owed_down = p.owed_down + least(u.owed, 0), owed_up = p.owed_up + greatest(u.owed, 0), ledger_moved = 0, channel_up = 0
from unnest(:ids::bigint[], :kept::int[], :owed::int[]) as u (id, kept, owed) where p.id = u.id;

-- name: forget_stop_counts(route_id)!
update pairs set ledger_moved = 0, channel_up = 0 where route_id = :route_id;

-- name: catch_up_route(route_id, now)!
-- Every living pair of a route is read on both sides before increases flow again.
update pairs set phase = 'catching_up', phase_reason = 'start', phase_since = :now
where route_id = :route_id and phase = 'live';

-- name: rebase_cell_pairs(cells, now, reason)!
-- A cell went away or came back: its pairs start again as new pairs, what was owed stays owed.
with touched as (
  select p.id from pairs p where p.channel_cell = any(:cells::bigint[]) and p.phase <> 'suspended'
  union
  select p.id from pairs p join components k on k.pair_id = p.id
  where k.ledger_cell = any(:cells::bigint[]) and p.phase <> 'suspended'),
locked as (select p.id from pairs p join touched t on t.id = p.id order by p.id for update of p)
update pairs p set phase = 'new', phase_reason = :reason, phase_since = :now, kept = 0 from locked where locked.id = p.id;

-- name: make_uncertain(cells, units)!
with touched as (
  select p.id, max(abs(u.units))::int as units from unnest(:cells::bigint[], :units::int[]) as u (cell_id, units)
  join pairs p on p.channel_cell = u.cell_id
    or exists (select 1 from components k where k.pair_id = p.id and k.ledger_cell = u.cell_id)
  group by p.id),
locked as (select p.id from pairs p join touched t on t.id = p.id order by p.id for update of p)
update pairs p set uncertain = p.uncertain + t.units from touched t, locked where t.id = p.id and locked.id = p.id;

-- name: preview_base(route_id)
-- Every pair of a route that has to be confirmed, with both sides as last read.
select p.id, p.value, p.phase, p.phase_reason, p.channel_cell, c.known as channel_known, c.condition as channel_condition,
       c.marked_at is not null as channel_dirty, c.read_answered_at as channel_read_at,
       ci.name as name, cl.name as location,
       sum(l.known * 1)::int as ledger_known, bool_and(l.condition = 'active' and l.known is not null) as ledger_readable,
       bool_or(l.marked_at is not null) as ledger_dirty, min(l.read_answered_at) as ledger_read_at,
       sum((select coalesce(sum((p2.owed_down + p2.sent_down) * k2.ratio), 0)::int
            from components k2 join pairs p2 on p2.id = k2.pair_id
            where k2.ledger_cell = l.id and (p2.phase <> 'new' or p2.id = p.id))
           + least(l.compensate, 0) + least(l.compensate_sent, 0) + (p.owed_up + p.sent_up) * k.ratio)::int as pending,
       p.owed_down + p.owed_up as channel_moved, p.ledger_moved, p.channel_up
from pairs p
join cells c on c.id = p.channel_cell
join items ci on ci.id = c.item_id
join locations cl on cl.id = c.location_id
join components k on k.pair_id = p.id
join cells l on l.id = k.ledger_cell
where p.route_id = :route_id and p.phase in ('new', 'waiting')
group by p.id, c.id, ci.id, cl.id
order by p.value, p.id;

-- name: count_unread(route_id)$
-- Pairs that still lack a base reading on a side that can be read.
select count(*) from pairs p join cells c on c.id = p.channel_cell
where p.route_id = :route_id and p.phase in ('new', 'waiting')
  and (c.condition = 'unread'
       or exists (select 1 from components k join cells l on l.id = k.ledger_cell
                  where k.pair_id = p.id and l.condition = 'unread'));

-- name: unalign_route(route_id, now, reason)!
-- Nothing of a route is written before a person confirms its gaps again; both sides are read anew.
update pairs set phase = 'new', phase_reason = :reason, phase_since = :now, kept = 0, owed_down = 0, owed_up = 0,
  ledger_moved = 0, channel_up = 0
where route_id = :route_id and phase <> 'suspended';

-- name: drop_rises(ids)!
-- A person let the ledger win where both sides rose: the channel's rise is not posted.
update pairs set owed_up = greatest(0, owed_up - channel_up), channel_up = 0 where id = any(:ids::bigint[]);

-- name: unalign_pairs(route_id, now, reason)!
-- What a route publishes changed: its gaps must be confirmed again. What is owed to the ledger stays owed.
update pairs set phase = 'new', phase_reason = :reason, phase_since = :now, kept = 0
where route_id = :route_id and phase <> 'suspended';

-- name: lock_pairs(ids)
select id from pairs where id = any(:ids::bigint[]) order by id for update;

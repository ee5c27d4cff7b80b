-- name: pair_states(cells)
-- All that decides what these channel cells are told: one row a component, in the order of channel cell and ledger cell.
-- The rules are looked up pair by pair (`offset 0`): joined as a whole they would cost as much as the rest together.
select p.channel_cell, p.id as pair_id, p.phase, p.kept, p.held, p.zeroing, p.shape, r.id as route_id, r.state as route_state,
       r.direction, r.sales, r.ledger_basis, u.buffer, u.percent, u.maximum, u.end_when, u.offset_units, u.excluded,
       s.ratio, s.ledger_cell,
       s.shown as ledger_known, s.condition = 'active' as ledger_readable, s.marked_at is not null as ledger_dirty,
       s.in_doubt as ledger_in_doubt, s.fell_at as ledger_fell_at, s.pending_down, s.own_up,
       r.state = 'stopped' and exists (select 1 from pushed_pairs w where w.pair_id = p.id) as pushed,
       (select coalesce(sum(w.gap), 0)::int from run_rows w
        where w.pair_id = p.id and w.state = 'confirmed' and w.side = 'channel' and w.gap > 0) as to_come,
       exists (select 1 from cut_checks k where k.cell_id = p.channel_cell) as unchecked
from pairs p
join routes r on r.id = p.route_id
cross join lateral (select * from pair_rules v where v.pair_id = p.id offset 0) u
join pair_sides s on s.pair_id = p.id
where p.channel_cell = any(:cells::bigint[])
order by p.channel_cell, s.ledger_cell;

-- name: ledger_owed(cells)
-- What may be posted to these ledger cells now: increases only of pairs that wait for nothing.
select k.ledger_cell,
       coalesce(sum(k.owed_down * k.ratio), 0)::int as owed_down,
       coalesce(sum(case when p.phase = 'live' then k.owed_up else 0 end * k.ratio), 0)::int as owed_up
from components k
join pairs p on p.id = k.pair_id
join routes r on r.id = p.route_id
where k.ledger_cell = any(:cells::bigint[]) and r.direction in ('two_way', 'channel_to_ledger')
  and (r.state = 'running' or r.state = 'stopped' and exists (select 1 from pushed_pairs w where w.pair_id = p.id))
  and p.phase in ('live', 'catching_up', 'waiting')
group by k.ledger_cell order by k.ledger_cell;

-- name: lock_owing_pairs(ledger_cells, down)
-- The pairs whose movements an op of this sign to these ledger cells carries, locked in their order.
select p.id, k.ledger_cell, k.ratio, case when :down then k.owed_down else k.owed_up end as units
from pairs p
join components k on k.pair_id = p.id
join routes r on r.id = p.route_id
where k.ledger_cell = any(:ledger_cells::bigint[])
  and (r.state = 'running' or r.state = 'stopped' and exists (select 1 from pushed_pairs w where w.pair_id = p.id))
  and r.direction in ('two_way', 'channel_to_ledger')
  and ((:down and k.owed_down <> 0 and p.phase in ('live', 'catching_up', 'waiting'))
       or (not :down and k.owed_up <> 0 and p.phase = 'live'))
order by p.id, k.ledger_cell for update of p;

-- name: send_owed(ids, cells, units)!
-- Units owed to ledger cells are in ops now.
update components k set owed_down = k.owed_down - least(u.units, 0), sent_down = k.sent_down + least(u.units, 0),
  owed_up = k.owed_up - greatest(u.units, 0), sent_up = k.sent_up + greatest(u.units, 0)
from unnest(:ids::bigint[], :cells::bigint[], :units::int[]) as u (id, cell_id, units)
where k.pair_id = u.id and k.ledger_cell = u.cell_id;

-- name: end_sent(ids, cells, units, returned)!
-- Ops to ledger cells have their outcome; what was not done is owed again.
with locked as (select id from pairs where id = any(:ids::bigint[]) order by id for update)
update components k set sent_down = k.sent_down - u.down, sent_up = k.sent_up - u.up,
  owed_down = k.owed_down + u.back_down, owed_up = k.owed_up + u.back_up
from (select id, cell_id, sum(least(units, 0))::int as down, sum(greatest(units, 0))::int as up,
             sum(least(returned, 0))::int as back_down, sum(greatest(returned, 0))::int as back_up
      from unnest(:ids::bigint[], :cells::bigint[], :units::int[], :returned::int[]) as x (id, cell_id, units, returned)
      group by id, cell_id) as u, locked
where k.pair_id = u.id and k.ledger_cell = u.cell_id and locked.id = u.id;

-- name: move_channel(cells, deltas)!
-- The channel moved: the ledger cells that take its movements are owed it, where we book its sales. While a route is
-- stopped or catching up, it is also counted apart. What a watching route finds is owed to nobody.
with moved as (select * from unnest(:cells::bigint[], :deltas::int[]) as u (cell_id, delta)),
locked as (
  select p.id, m.delta, r.state <> 'running' or p.phase = 'catching_up' as apart
  from pairs p join moved m on m.cell_id = p.channel_cell join routes r on r.id = p.route_id
  where r.sales = 'post' and r.state <> 'watching' order by p.id for update of p),
counted as (
  update pairs p set channel_up = p.channel_up + greatest(l.delta, 0)
  from locked l where l.id = p.id and l.apart and l.delta > 0)
update components k set owed_down = k.owed_down + least(l.delta, 0), owed_up = k.owed_up + greatest(l.delta, 0)
from locked l where k.pair_id = l.id and k.intake;

-- name: move_ledger(cells, deltas)!
-- The ledger moved while a route was stopped or catching up.
with moved as (select * from unnest(:cells::bigint[], :deltas::int[]) as u (cell_id, delta)),
touched as (
  select p.id, sum(m.delta)::int as delta from moved m join components k on k.ledger_cell = m.cell_id
  join pairs p on p.id = k.pair_id join routes r on r.id = p.route_id
  where r.state not in ('running', 'watching') or p.phase = 'catching_up' group by p.id),
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
  and ((c.known is not null and c.condition = 'active') or c.condition = 'unreadable')
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
with u as (select * from unnest(:ids::bigint[], :kept::int[], :owed::int[]) as u (id, kept, owed)),
owing as (
  update components k set owed_down = k.owed_down + least(u.owed, 0), owed_up = k.owed_up + greatest(u.owed, 0)
  from u where k.pair_id = u.id and k.intake and u.owed <> 0)
update pairs p set phase = 'live', phase_reason = '', phase_since = :now, kept = u.kept, ledger_moved = 0, channel_up = 0
from u where p.id = u.id;

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

-- name: count_unread(route_id)$
-- Pairs that still lack a base reading on a side that can be read.
select count(*) from pairs p join cells c on c.id = p.channel_cell
where p.route_id = :route_id and p.phase in ('new', 'waiting')
  and (c.condition = 'unread' or (c.condition = 'active' and c.known is null)
       or exists (select 1 from components k join cells l on l.id = k.ledger_cell
                  where k.pair_id = p.id and l.condition = 'unread'));

-- name: unalign_route(route_id, now, reason)!
-- Nothing of a route is written before a person confirms its gaps again; both sides are read anew.
with touched as (
  update pairs set phase = 'new', phase_reason = :reason, phase_since = :now, kept = 0, ledger_moved = 0, channel_up = 0
  where route_id = :route_id and phase <> 'suspended' returning id)
update components k set owed_down = 0, owed_up = 0 from touched t where k.pair_id = t.id;

-- name: drop_rises(ids)!
-- A person let the ledger win where both sides rose: the channel's rise is not posted.
with rose as (
  select id, channel_up from pairs where id = any(:ids::bigint[]) and channel_up > 0 order by id for update),
dropped as (
  update components k set owed_up = greatest(0, k.owed_up - rose.channel_up) from rose where k.pair_id = rose.id and k.intake)
update pairs p set channel_up = 0 from rose where p.id = rose.id;

-- name: unalign_pairs(route_id, now, reason)!
-- What a route publishes changed: its gaps must be confirmed again. What is owed to the ledger stays owed.
update pairs set phase = 'new', phase_reason = :reason, phase_since = :now, kept = 0
where route_id = :route_id and phase <> 'suspended';

-- name: lock_pairs(ids)
select id from pairs where id = any(:ids::bigint[]) order by id for update;

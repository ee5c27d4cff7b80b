-- name: preview_lines(route_id, phases)
-- Every pair of a route in these phases, with both sides as last read, in the order people read it in. What is held back
-- counts: a person confirms what is really there. The same numbers as in the view pair_effective, worked out for all
-- pairs at once: asking the view pair by pair takes four times as long. What is pending is little, so it is found by
-- itself: by what components are owed, and by what is committed at channels whose ledger counts the shelf.
with part as materialized (
  select p.id as pair_id, p.shape, p.phase, k.ledger_cell, k.ratio, (k.owed_up + k.sent_up) * k.ratio as own_up
  from pairs p join components k on k.pair_id = p.id
  where p.route_id = :route_id and p.phase = any(:phases::text[])),
pending as materialized (
  select k.ledger_cell, k.pair_id, p.phase = 'new' as is_new,
         (k.owed_down + k.sent_down - k.expected
          - case when r.ledger_basis = 'on_hand' and k.intake then c.committed else 0 end) * k.ratio as units
  from components k join pairs p on p.id = k.pair_id join routes r on r.id = p.route_id join cells c on c.id = p.channel_cell
  where k.owed_down <> 0 or k.sent_down <> 0 or k.expected <> 0
  union all
  select k.ledger_cell, k.pair_id, p.phase = 'new', -c.committed * k.ratio
  from routes r join pairs p on p.route_id = r.id join components k on k.pair_id = p.id join cells c on c.id = p.channel_cell
  where r.ledger_basis = 'on_hand' and k.intake and c.committed <> 0
    and k.owed_down = 0 and k.sent_down = 0 and k.expected = 0),
others as materialized (
  select ledger_cell, sum(units) as units from pending where not is_new group by ledger_cell),
side as (
  select a.pair_id, a.shape, a.ratio, l.condition = 'active' and l.known is not null as readable, l.read_answered_at,
         l.known - case when r.ledger_basis = 'stock_minus_layaway' then l.aside else 0 end
           + coalesce(o.units, 0) + coalesce(n.units, 0) + least(l.compensate, 0) + least(l.compensate_sent, 0)
           + a.own_up as units
  from part a join routes r on r.id = :route_id join cells l on l.id = a.ledger_cell
  left join others o on o.ledger_cell = a.ledger_cell
  left join pending n on n.ledger_cell = a.ledger_cell and n.pair_id = a.pair_id and n.is_new),
e as materialized (
  select pair_id, case when shape = 'set' then min(floor(units::numeric / ratio)) filter (where shape = 'set')
                       else sum(units) end::int as effective,
         bool_and(readable) as readable, min(read_answered_at) as read_at
  from side group by pair_id, shape)
select p.id, p.value, p.shape, p.phase, p.phase_reason, p.channel_cell, p.held, p.kept, c.known as channel_known,
       c.condition as channel_condition, c.marked_at is not null as channel_dirty, p.channel_up, ci.name as name,
       cl.name as location, e.effective as ledger_known, e.readable as ledger_readable,
       least(c.read_answered_at, e.read_at) as read_at,
       u.buffer, u.percent, u.maximum, u.end_when, u.offset_units, u.excluded
from e join pairs p on p.id = e.pair_id
join pair_rules u on u.pair_id = p.id
join cells c on c.id = p.channel_cell
join items ci on ci.id = c.item_id
join locations cl on cl.id = c.location_id
order by p.value, p.id;

-- name: preview_lines_of(pairs, phases)
-- The same lines of some pairs only.
with e as materialized (
  select s.pair_id, case when s.shape = 'set' then min(floor((s.shown + s.held_back + s.pending_down + s.own_up)::numeric / s.ratio))
                         else sum(s.shown + s.held_back + s.pending_down + s.own_up) end::int as effective,
         bool_and(s.condition = 'active' and s.shown is not null) as readable, min(s.read_answered_at) as read_at
  from pair_sides s where s.pair_id = any(:pairs::bigint[]) group by s.pair_id, s.shape)
select p.id, p.value, p.shape, p.phase, p.phase_reason, p.channel_cell, p.held, p.kept, c.known as channel_known,
       c.condition as channel_condition, c.marked_at is not null as channel_dirty, p.channel_up, ci.name as name,
       cl.name as location, e.effective as ledger_known, e.readable as ledger_readable,
       least(c.read_answered_at, e.read_at) as read_at,
       u.buffer, u.percent, u.maximum, u.end_when, u.offset_units, u.excluded
from pairs p
join pair_rules u on u.pair_id = p.id
join cells c on c.id = p.channel_cell
join items ci on ci.id = c.item_id
join locations cl on cl.id = c.location_id
join e on e.pair_id = p.id
where p.id = any(:pairs::bigint[]) and p.phase = any(:phases::text[])
order by p.id;

-- name: parts_of_pairs(pairs)
-- What the pools and sets among these pairs are made of, each with its own effective number.
select s.pair_id, s.shape, s.ratio, s.intake, l.name as location, coalesce(i.codes ->> r.ledger_field, i.name) as code,
       case when s.condition = 'active' then s.shown + s.held_back + s.pending_down + s.own_up end as effective
from pair_sides s join pairs p on p.id = s.pair_id join routes r on r.id = p.route_id
join cells c on c.id = s.ledger_cell join items i on i.id = c.item_id join locations l on l.id = c.location_id
where s.pair_id = any(:pairs::bigint[]) order by s.pair_id, s.ledger_cell;

-- name: open_preview(id, route_id, made_at, source, undoes)!
insert into previews (id, route_id, made_at, summary, source, undoes) values (:id, :route_id, :made_at, '{}', :source, :undoes);

-- name: sum_up_preview(id, summary)!
update previews set summary = :summary where id = :id;

-- name: preview_kept(id)^
select v.id, v.route_id, v.made_at, v.summary, v.accepted_at, v.source, v.undoes, r.name as route
from previews v join routes r on r.id = v.route_id where v.id = :id;

-- name: preview_page(id, after, limit)
-- Lines of a preview, in their order.
select w.position, w.pair_id, w.action, w.before, w.after, w.gap, w.why_en, w.why_ja, p.value, ci.name, cl.name as location
from preview_rows w join pairs p on p.id = w.pair_id join cells c on c.id = p.channel_cell join items ci on ci.id = c.item_id
join locations cl on cl.id = c.location_id
where w.preview_id = :id and w.position > :after order by w.position limit :limit;

-- name: not_read_since(route_id, since)$
-- Cells of a route that were not read since a time, of those that can be.
select count(*) from cells c
where c.id in (select p.channel_cell from pairs p where p.route_id = :route_id and p.phase <> 'suspended'
               union select k.ledger_cell from components k join pairs p on p.id = k.pair_id
               where p.route_id = :route_id and p.phase <> 'suspended')
  and (c.read_asked_at is null or c.read_asked_at < :since);

-- name: open_run(kind, route_id, actor, preview_id, undoes, on_stopped, now)$
insert into runs (kind, route_id, actor, preview_id, undoes, on_stopped, started_at, updated_at)
values (:kind, :route_id, :actor, :preview_id, :undoes, :on_stopped, :now, :now) returning id;

-- name: count_rows_in(run_id)!
-- The total of a run, once its rows are there.
update runs set total = (select count(*) from run_rows where run_id = :run_id) where id = :run_id;

-- name: analyze_run_rows()!
analyze run_rows;

-- name: propose_rows(run_id, preview_id, now)!
-- The lines of a preview that can be written become the rows of a run, one for each cell that is written.
insert into run_rows (run_id, pair_id, cell_id, side, rank, action, before, after, gap, kept, owed, state, since)
select :run_id, w.pair_id, case when w.action = 'write_ledger' then k.ledger_cell else p.channel_cell end,
       case when w.action = 'write_ledger' then 'ledger' else 'channel' end,
       case when w.action not in ('write_channel', 'write_ledger') then 3 when w.gap > 0 then 2 when w.after <= 0 then 0 else 1 end,
       w.action, w.before, w.after, w.gap,
       case when w.action = 'keep' then w.gap else 0 end, case when w.action = 'write_ledger' then w.gap else 0 end,
       'proposed', :now
from preview_rows w join pairs p on p.id = w.pair_id join cells c on c.id = p.channel_cell
left join components k on k.pair_id = p.id and k.intake and w.action = 'write_ledger'
where w.preview_id = :preview_id and w.action <> 'excluded' and (w.before is not null or c.condition = 'unreadable')
on conflict do nothing;

-- name: propose_live(run_id, route_id, now)!
-- Every living pair of a route becomes a row of a run that tells each channel cell its new target.
insert into run_rows (run_id, pair_id, cell_id, side, rank, action, kept, state, phase_before, kept_before, since)
select :run_id, p.id, p.channel_cell, 'channel', 2, 'publish', p.kept, 'confirmed', p.phase, p.kept, :now
from pairs p where p.route_id = :route_id and p.phase = 'live'
  and not exists (select 1 from run_rows w where w.cell_id = p.channel_cell and w.state in ('confirmed', 'released', 'sent'))
order by p.id;

-- name: supersede_rows(run_id, now)!
-- What a stopped run of the same pairs left is taken over.
update run_rows w set state = 'skipped', reason = 'superseded', reason_code = null, since = :now
from runs u where u.id = w.run_id and w.state = 'proposed' and w.run_id <> :run_id and u.state <> 'running' and u.kind = 'push'
  and w.pair_id in (select pair_id from run_rows where run_id = :run_id);

-- name: overlapping_run(preview_id)$
-- A run under way that still has to write a pair of this preview.
select min(w.run_id) from run_rows w join runs u on u.id = w.run_id and u.state = 'running'
where w.state in ('proposed', 'confirmed', 'released', 'sent')
  and w.pair_id in (select pair_id from preview_rows where preview_id = :preview_id);

-- name: writing_runs()
-- Runs that write and are under way.
select id from runs where state = 'running' and kind in ('push', 'undo', 'publish') order by id;

-- name: lock_run(id)^
-- A run under way, unless another replica takes care of it just now. Ops that carry its rows refer to it meanwhile.
select u.id, u.kind, u.route_id, u.preview_id, u.undoes, u.on_stopped, u.actor, r.state as route_state, r.name as route,
       coalesce(v.source, 'route') as source
from runs u join routes r on r.id = u.route_id left join previews v on v.id = u.preview_id
where u.id = :id and u.state = 'running' for no key update of u skip locked;

-- name: run_by_id(id)^
select u.id, u.kind, u.connection_id, u.route_id, u.state, u.done, u.found, u.total, u.actor, u.preview_id, u.undoes,
       u.on_stopped, u.started_at, u.updated_at, u.finished_at, u.error, u.row_counts, u.units_up, u.units_down, u.lines,
       u.lines_deleted_at, n.name as connection, r.name as route, r.state as route_state
from runs u left join connections n on n.id = u.connection_id left join routes r on r.id = u.route_id where u.id = :id;

-- name: run_lines(id, states, after_pair, after_cell, limit)
-- Rows of a run in these states, in the order of pair and cell.
select w.pair_id, w.cell_id, w.side, w.action, w.state, w.reason, w.reason_code, w.before, w.after, w.gap, w.moved, w.op_id, w.since,
       p.value, i.name, l.name as location, c.known, n.name as connection
from run_rows w join pairs p on p.id = w.pair_id join cells c on c.id = w.cell_id join items i on i.id = c.item_id
join locations l on l.id = c.location_id join connections n on n.id = c.connection_id
where w.run_id = :id and w.state = any(:states::text[]) and (w.pair_id, w.cell_id) > (:after_pair::bigint, :after_cell::bigint)
order by w.pair_id, w.cell_id limit :limit;

-- name: next_proposed(run_id, limit)
-- Rows of a run that are to be confirmed next: what is gone first, then falls, then rises.
select w.pair_id, min(w.action) as action, min(w.gap) as gap, min(w.kept) as kept, min(w.owed) as owed, min(w.rank) as rank,
       max(w.since) as since
from (select pair_id, cell_id, action, gap, kept, owed, rank, since from run_rows
      where run_id = :run_id and state = 'proposed' order by rank, pair_id limit :limit) as w
group by w.pair_id order by w.pair_id;

-- name: confirm_rows(run_id, pairs, phases, kept, dropped, now)!
-- The gaps of these pairs are confirmed; those that nothing is written for are done with it.
update run_rows w set state = case when w.rank = 3 then 'done' else 'confirmed' end, moved = case when w.rank = 3 then 0 end,
  phase_before = u.phase, kept_before = u.kept, dropped = u.dropped, reason = '', reason_code = null, since = :now
from unnest(:pairs::bigint[], :phases::text[], :kept::int[], :dropped::int[]) as u (pair_id, phase, kept, dropped)
where w.run_id = :run_id and w.pair_id = any(:pairs::bigint[]) and w.pair_id = u.pair_id and w.state = 'proposed';

-- name: supersede_open(run_id, pairs, now)!
-- These pairs are confirmed anew: what an earlier run had yet to write for them is part of it.
update run_rows set state = 'skipped', reason = 'superseded', reason_code = null, since = :now
where pair_id = any(:pairs::bigint[]) and run_id <> :run_id and state in ('confirmed', 'released');

-- name: skip_rows(run_id, pairs, reason, now)!
update run_rows set state = 'skipped', reason = :reason, reason_code = null, since = :now
where run_id = :run_id and pair_id = any(:pairs::bigint[]) and state = 'proposed';

-- name: outstanding_rows(run_id)
-- What of a run is on its way, since when at most it was let go, and what is still to come. Within seconds the states of
-- a run's rows are other ones than its statistics tell, so the planner is told of a state only that there is one
-- (`select`), and takes the first row by the index that has them in their order.
select u.out, u.released_at, p.rank is not null as proposed, c.rank is not null as confirmed
from (select count(*)::int as out, min(since) filter (where state = 'released') as released_at
      from run_rows where run_id = :run_id and state in ('released', 'sent')) u
left join lateral (select rank from run_rows where run_id = :run_id and state = (select 'proposed')
                   and state in ('proposed', 'confirmed', 'released', 'sent') order by rank, pair_id limit 1) p on true
left join lateral (select rank from run_rows where run_id = :run_id and state = (select 'confirmed')
                   and state in ('proposed', 'confirmed', 'released', 'sent') order by rank, pair_id limit 1) c on true;

-- name: release_rows(run_id, limit, patient, now)$
-- The next rows of a run are let go to the lanes, but for those whose cell is just busy with a live change. In
-- their order from the index, as in outstanding_rows, and then by their keys (arrays): whatever the statistics tell, no
-- more rows are read than are let go.
with next as (
  select w.pair_id, w.cell_id from run_rows w join cells c on c.id = w.cell_id
  where w.run_id = :run_id and w.state = (select 'confirmed')
    and w.state in ('proposed', 'confirmed', 'released', 'sent')
    and (w.since <= :patient or not (c.op_id is not null or c.gap <> 0 and c.urgency <= 2 or c.marked_at is not null))
  order by w.rank, w.pair_id limit :limit for update of w),
freed as (
  update run_rows w set state = 'released', since = :now
  from unnest((select array_agg(pair_id) from next), (select array_agg(cell_id) from next)) as n (pair_id, cell_id)
  where w.run_id = :run_id and w.pair_id = n.pair_id and w.cell_id = n.cell_id returning w.cell_id),
asked as (insert into due (cell_id) select distinct cell_id from freed order by cell_id)
select count(*) from freed;

-- name: run_rows_at(cells)
-- What runs want of these cells: whether something of them is released, and whether it takes a push back. A channel cell
-- that is to be raised trades as it stands until its turn comes.
-- So do cells that a publish run had yet to tell when a person stopped it. Cell by cell (`offset 0`): the planner, who
-- knows of no open rows, would read all that are open.
select x.cell_id, bool_or(x.released) as released, bool_or(x.undoing) as undoing
from (
  select w.cell_id, w.state = 'released' as released, u.kind = 'undo' as undoing
  from unnest(:cells::bigint[]) as n (cell_id)
  cross join lateral (select o.cell_id, o.state, o.side, o.gap, o.run_id from run_rows o
                      where o.cell_id = n.cell_id and o.state in ('confirmed', 'released') offset 0) w
  join runs u on u.id = w.run_id
  where w.state = 'released' or u.kind <> 'undo' and (w.side = 'ledger' or coalesce(w.gap, 0) <= 0)
  union all
  select w.cell_id, false, false from run_rows w join runs u on u.id = w.run_id
  where w.cell_id = any(:cells::bigint[]) and w.state = 'proposed' and w.action = 'publish'
    and u.state = 'stopped' and u.error = 'stopped by a person') as x
group by x.cell_id order by x.cell_id;

-- name: undo_units_at(cells)
-- The units by which pushes are taken back on these cells now.
select w.cell_id, sum(w.gap)::int as units, min(w.side) as side
from run_rows w join runs u on u.id = w.run_id join routes r on r.id = u.route_id
where w.cell_id = any(:cells::bigint[]) and w.state = 'released' and u.kind = 'undo' and u.state = 'running'
  and r.state not in ('running', 'watching')
group by w.cell_id order by w.cell_id;

-- name: pull_forward(cells, now)!
-- Something else happened to these cells: what a run wants of them goes with it. Found cell by cell, as in run_rows_at,
-- and looked at once more where another transaction had the row (a select: else the planner starts from there).
with open as (
  select w.run_id, w.pair_id, w.cell_id from unnest(:cells::bigint[]) as n (cell_id)
  cross join lateral (select o.run_id, o.pair_id, o.cell_id from run_rows o
                      where o.cell_id = n.cell_id and o.state in ('confirmed', 'released') offset 0) w)
update run_rows w set state = 'released', since = :now from open o, runs u
where w.run_id = o.run_id and w.pair_id = o.pair_id and w.cell_id = o.cell_id and w.state = (select 'confirmed')
  and u.id = w.run_id and u.kind <> 'undo';

-- name: step_back(cells, now)!
-- Something was heard of channel cells that a run was about to raise: they trade as they stand, and get another turn.
with open as (
  select w.run_id, w.pair_id, w.cell_id from unnest(:cells::bigint[]) as n (cell_id)
  cross join lateral (select o.run_id, o.pair_id, o.cell_id from run_rows o
                      where o.cell_id = n.cell_id and o.state in ('confirmed', 'released') offset 0) w)
update run_rows w set state = 'confirmed', since = :now from open o, runs u
where w.run_id = o.run_id and w.pair_id = o.pair_id and w.cell_id = o.cell_id and w.state = (select 'released')
  and u.id = w.run_id and u.kind = 'push' and u.state = 'running' and w.side = 'channel' and w.gap > 0;

-- name: end_unwritten(cells, states, reasons, now)!
-- Nothing has to be written for these cells, or nothing can be.
with open as (
  select w.run_id, w.pair_id, w.cell_id, n.state, n.reason
  from unnest(:cells::bigint[], :states::text[], :reasons::text[]) as n (cell_id, state, reason)
  cross join lateral (select o.run_id, o.pair_id, o.cell_id from run_rows o
                      where o.cell_id = n.cell_id and o.state in ('confirmed', 'released') offset 0) w)
update run_rows w set state = o.state, reason = o.reason, reason_code = null,
  moved = case when o.state = 'done' then coalesce(w.gap, 0) else 0 end, since = :now
from open o
where w.run_id = o.run_id and w.pair_id = o.pair_id and w.cell_id = o.cell_id and w.state = (select 'released');

-- name: carry_rows(ops, cells, deltas, now)
-- Ops carry what runs want of their cells: which runs' rows they are. To a ledger cell falls and rises go apart.
with open as (
  select w.run_id, w.pair_id, w.cell_id, n.op, n.delta
  from unnest(:ops::text[], :cells::bigint[], :deltas::int[]) as n (op, cell_id, delta)
  cross join lateral (select o.run_id, o.pair_id, o.cell_id from run_rows o
                      where o.cell_id = n.cell_id and o.state in ('confirmed', 'released') offset 0) w),
carried as (
  update run_rows w set state = 'sent', op_id = o.op, since = :now from open o, runs r
  where w.run_id = o.run_id and w.pair_id = o.pair_id and w.cell_id = o.cell_id
    and w.state = any((select array['confirmed', 'released'])::text[]) and r.id = w.run_id
    and (w.state = 'released' or r.kind <> 'undo' and (w.side = 'ledger' or coalesce(w.gap, 0) <= 0))
    and (w.side = 'channel' or r.kind = 'undo' or sign(w.gap) = sign(o.delta))
  returning w.op_id, w.run_id, r.kind)
select op_id, max(run_id) as run_id, max(kind) as kind from carried group by op_id order by op_id;

-- name: hold_runs_of(ops)
-- Keeps the runs of these ops as they are until this transaction ends: a run that is stopped meanwhile must see how its
-- rows ended, or these must see that it was stopped.
select u.id from runs u
where u.id in (select w.run_id from run_rows w where w.op_id = any(:ops::text[]) and w.state = 'sent')
order by u.id for share of u;

-- name: end_rows(ops, states, reasons, codes, now)
-- Ops that carried rows of runs have their outcome. A row whose op was not carried out is to be written again.
with ended as (
  update run_rows w set reason = u.reason, reason_code = u.code, since = :now,
    state = case when u.state = 'released' and exists (
                   select 1 from run_rows x where x.cell_id = w.cell_id and x.pair_id = w.pair_id
                     and x.state in ('confirmed', 'released')) then 'skipped' else u.state end,
    op_id = case when u.state = 'released' then null else w.op_id end,
    moved = case when u.state = 'done' then case when r.kind = 'undo' and w.side = 'channel' then o.delta
                                                 else coalesce(w.gap, o.delta) end
                 when u.state = 'failed' then 0 end
  from unnest(:ops::text[], :states::text[], :reasons::text[], :codes::text[]) as u (op, state, reason, code), ops o, runs r
  where w.op_id = any(:ops::text[]) and w.op_id = u.op and o.id = u.op and r.id = w.run_id and w.state = 'sent'
  returning w.run_id, u.state, r.state as run_state)
select distinct run_id from ended where state = 'released' and run_state <> 'running' order by run_id;

-- name: withdraw_rows(run_id, now)!
-- What of a stopped run was not sent is confirmed no more; the pairs are as they were before.
with back as (
  update run_rows w set state = 'proposed', since = :now
  where w.run_id = :run_id and w.state in ('confirmed', 'released')
  returning w.pair_id, w.cell_id, w.side, w.owed, w.phase_before, w.kept_before, w.dropped),
less as (
  update components k set owed_down = least(0, k.owed_down - least(b.owed, 0)),
    owed_up = greatest(0, k.owed_up - greatest(b.owed, 0)) + b.dropped
  from (select distinct pair_id, owed, dropped from back) as b where k.pair_id = b.pair_id and k.intake
    and (b.owed <> 0 or b.dropped <> 0)),
pairs_back as (
  update pairs p set phase = b.phase_before, kept = b.kept_before, channel_up = p.channel_up + b.dropped, phase_since = :now,
    phase_reason = case b.phase_before when 'new' then 'run_stopped' when 'waiting' then 'both_rose' else '' end
  from (select distinct pair_id, phase_before, kept_before, dropped from back) as b
  where p.id = b.pair_id and b.phase_before is not null and p.phase in ('live', 'catching_up'))
insert into due (cell_id) select distinct cell_id from back order by cell_id;

-- name: set_run_aside(run_id, error, now)!
update runs set state = 'stopped', error = :error, updated_at = :now, finished_at = :now where id = :run_id and state = 'running';

-- name: take_up_run(run_id, on_stopped, now)!
update runs set state = 'running', error = '', updated_at = :now, finished_at = null, next_at = :now, on_stopped = :on_stopped
where id = :run_id;

-- name: confirm_again(run_id, now)!
-- The rest of an undo is confirmed as it was: an inverse difference does not depend on what happened since. So is that
-- of a publish run, whose rows ask for whatever the target is.
update run_rows set state = 'confirmed', since = :now where run_id = :run_id and state = 'proposed';

-- name: stuck_rows(run_id, before, now)!
-- Rows that were let go long ago and could not be written since: the cell says why.
update run_rows w set state = 'failed', reason = c.blocked, reason_code = null, moved = 0, since = :now from cells c
where w.run_id = :run_id and w.state = 'released' and w.since < :before and c.id = w.cell_id and c.gap = 0;

-- name: undo_rows(run_id, undoes, now)!
-- Each settled row of a run, the other way round, in units of its cell.
insert into run_rows (run_id, pair_id, cell_id, side, rank, action, before, after, gap, state, since)
select :run_id, w.pair_id, w.cell_id, w.side, case when w.moved > 0 then 1 else 2 end, 'undo', c.known, c.known - w.moved * coalesce(k.ratio, 1),
       -w.moved * coalesce(k.ratio, 1), 'confirmed', :now
from run_rows w join cells c on c.id = w.cell_id
left join components k on w.side = 'ledger' and k.pair_id = w.pair_id and k.ledger_cell = w.cell_id
where w.run_id = :undoes and w.state = 'done' and coalesce(w.moved, 0) <> 0
order by w.pair_id, w.cell_id;

-- name: undo_sum(run_id)^
-- What an undo of a run would write.
select count(*)::int as rows, coalesce(sum(greatest(-moved, 0)), 0)::bigint as up, coalesce(sum(least(-moved, 0)), 0)::bigint as down
from run_rows where run_id = :run_id and state = 'done' and coalesce(moved, 0) <> 0;

-- name: unalign_undone(run_id, now)!
-- Pairs whose push is taken back wait for a person before anything is written to them again.
update pairs p set phase = 'new', phase_reason = 'undone', phase_since = :now, kept = 0
from (select distinct pair_id from run_rows where run_id = :run_id) as w where p.id = w.pair_id and p.phase <> 'suspended';

-- name: undone_by(run_id)$
select min(id) from runs where undoes = :run_id;

-- name: unfinished_rows(run_id)$
select exists (select 1 from run_rows where run_id = :run_id and state in ('confirmed', 'released', 'sent'));

-- name: runs_of_route(route_id)
-- Runs of a route that write and are under way.
select id, kind from runs where route_id = :route_id and state = 'running' and kind in ('push', 'undo', 'publish') order by id;

-- name: put_due_rest(route_id)!
-- Ask for every cell of a route to be decided again, but for those whose turn comes with a run, and ledger cells that
-- are owed nothing.
insert into due (cell_id)
select p.channel_cell from pairs p where p.route_id = :route_id
  and not exists (select 1 from run_rows w where w.pair_id = p.id and w.state in ('confirmed', 'released', 'sent'))
union
select k.ledger_cell from components k join pairs p on p.id = k.pair_id join cells l on l.id = k.ledger_cell
where p.route_id = :route_id and (k.owed_down <> 0 or k.owed_up <> 0 or l.compensate <> 0)
  and not exists (select 1 from run_rows w where w.cell_id = l.id and w.state in ('confirmed', 'released', 'sent'));

-- name: add_blocker(route_id, reason)!
update routes set blockers = blockers || to_jsonb(:reason::text), version = version + 1
where id = :route_id and not blockers ? :reason;

-- name: count_pairs_in(run_id, states)$
-- How many pairs of a run have rows in these states.
select count(distinct pair_id) from run_rows where run_id = :run_id and state = any(:states::text[]);

-- name: run_total(run_id)$
select total from runs where id = :run_id;

-- name: run_locked(id)^
select u.id, u.kind, u.state, u.connection_id, r.name as route from runs u left join routes r on r.id = u.route_id
where u.id = :id for update of u;

-- name: runs_latest(limit)
-- The latest runs, newest first.
select u.id, u.kind, u.connection_id, u.route_id, u.state, u.done, u.found, u.total, u.actor, u.preview_id, u.undoes,
       u.on_stopped, u.started_at, u.updated_at, u.finished_at, u.error, u.row_counts, u.units_up, u.units_down, u.lines,
       u.lines_deleted_at, n.name as connection, r.name as route, r.state as route_state
from runs u left join connections n on n.id = u.connection_id left join routes r on r.id = u.route_id
order by u.id desc limit :limit;

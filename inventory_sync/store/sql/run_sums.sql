-- name: sum_up_run(run_id, now)!
-- What the rows of a run sum up to now, as long as they are all there. Once it is over that holds for good.
update runs u set row_counts = coalesce(s.row_counts, '{}'), done = coalesce(s.ended, 0), units_up = coalesce(s.units_up, 0),
  units_down = coalesce(s.units_down, 0), updated_at = :now
from (select :run_id::bigint as id) n left join (select * from run_sums where run_id = :run_id::bigint) s on true
where u.id = n.id and u.lines = 'kept';

-- name: sums_of_open_runs(ids, recent)
-- What the rows of these runs sum up to just now, and how many of those under way ended lately.
select s.run_id, s.row_counts, s.ended, s.units_up, s.units_down, coalesce(l.lately, 0) as lately
from (select * from run_sums where run_id = any(:ids::bigint[])) s
left join (
  select w.run_id, count(*) as lately from run_rows w join runs u on u.id = w.run_id
  where w.run_id = any(:ids::bigint[]) and u.state = 'running' and w.state in ('done', 'failed', 'skipped')
    and w.since > greatest(u.started_at, :recent)
  group by w.run_id) l on l.run_id = s.run_id;

-- name: runs_with_old_lines(id, before, most)
-- Runs (or one of them) that ended before a time and whose rows nobody needs any more, the oldest first: over, or
-- stopped with nothing to go on with. Kept are the rows of a run that is being taken back or takes one back, of one
-- whose route waits for a person because of that, and of one of which a row or an op is still under way.
select u.id, u.state, u.row_counts is not null as summed, u.lines
from runs u left join routes r on r.id = u.route_id
where (:id::bigint is null or u.id = :id::bigint)
  and u.lines <> 'gone' and u.kind in ('push', 'undo', 'publish') and u.finished_at < :before
  and (u.state = 'done'
       or u.state = 'stopped' and u.kind <> 'undo'
          and (exists (select 1 from runs b where b.undoes = u.id)
               or not exists (select 1 from run_rows w where w.run_id = u.id and w.state = 'proposed')))
  and not exists (select 1 from runs b where b.undoes = u.id and b.state <> 'done')
  and not (coalesce(r.blockers ? 'undone', false)
           and (u.kind = 'undo' or exists (select 1 from runs b where b.undoes = u.id)))
  and not exists (select 1 from run_rows w where w.run_id = u.id and w.state in ('confirmed', 'released', 'sent'))
  and not exists (select 1 from ops o where o.run_id = u.id and o.state in ('sent', 'in_doubt'))
order by u.finished_at, u.id limit :most;

-- name: has_lines(run_id)$
select exists (select 1 from run_rows where run_id = :run_id);

-- name: drop_lines(run_id, most)$
-- Rows of a run, some at a time.
with next as (
  select pair_id, cell_id from run_rows where run_id = :run_id order by pair_id, cell_id limit :most),
gone as (
  delete from run_rows w using next n where w.run_id = :run_id and w.pair_id = n.pair_id and w.cell_id = n.cell_id
  returning 1)
select count(*) from gone;

-- name: note_lines(run_id, lines, deleted_at)!
-- How far the rows of a run are deleted, and since when; one that had none lost none.
update runs set lines = :lines, lines_deleted_at = coalesce(lines_deleted_at, :deleted_at) where id = :run_id;

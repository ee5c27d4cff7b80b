-- name: bulk_room(connection_id, rest_seconds)^
-- What decides whether another batch of many rows may go: how many are under way, whether a callback stayed away lately,
-- and whether a live change waits.
select (select count(*) from batches where connection_id = :connection_id and kind = 'bulk' and state <> 'settled')::int
         as under_way,
       exists (select 1 from batches where connection_id = :connection_id and kind = 'bulk'
               and missed_at > inventory_clock() - make_interval(secs => :rest_seconds)) as missed,
       exists (select 1 from cells where connection_id = :connection_id and (gap <> 0 or rewrite) and op_id is null
               and urgency between 0 and 2) as live;

-- name: cells_for_bulk(connection_id, urgency, limit)
-- Cells that only a run wants written, in the order of runs; one that was refused among others goes singly.
select c.id from cells c
where c.connection_id = :connection_id and c.gap <> 0 and c.op_id is null and c.urgency = :urgency and c.bisect is null
order by c.gap_since, c.id limit :limit for update skip locked;

-- name: accept_batch(id, reference, due_at, now)!
-- The partner carries a batch out later. Its callback may have overtaken its answer.
update batches set state = 'accepted', reference = :reference, reason = 'accepted by the partner',
  due_at = case when called_at is null then :due_at::timestamptz else :now::timestamptz end
where id = :id and state = 'sent';

-- name: note_callback(connection_id, names, now)$
-- A partner says that it is done with these batches: what became of them is looked up now. Says how many there are.
with called as (
  update batches set called_at = coalesce(called_at, inventory_clock()),
    due_at = case when state <> 'sent' and called_at is null then :now::timestamptz else due_at end
  where id in (select id from batches
               where connection_id = :connection_id and kind = 'bulk' and state <> 'settled'
                 and (key = any(:names::text[]) or reference = any(:names::text[]))
               order by id for update)
  returning 1)
select count(*) from called;

-- name: callbacks_came(connection_id, now)!
-- A callback arrived again: the alert that they stay away is over.
update alerts set closed_at = :now
where code = 'callbacks_missing' and connection_id = :connection_id and closed_at is null;

-- name: bulk_state(id)^
-- A batch that was accepted or is in doubt, and the seconds since it was sent and since its callback came.
select state, missed_at is not null as missed,
       extract(epoch from inventory_clock() - first_sent_at)::float8 as sent_ago,
       extract(epoch from inventory_clock() - called_at)::float8 as called_ago
from batches where id = :id and state in ('accepted', 'in_doubt');

-- name: miss_callback(id)!
update batches set missed_at = inventory_clock() where id = :id and missed_at is null;

-- name: look_again_at(id, due_at)!
update batches set due_at = :due_at where id = :id and state in ('accepted', 'in_doubt');

-- name: split_batch(id, ids, token, ops, methods, paths, requests, keys, version, due_at, reason)!
-- Rows of a batch become batches of their own, as old as it is: from here on each is in doubt by itself.
with made as (
  insert into batches (id, connection_id, lane_token, kind, direction, method, path, request, key, api_version, state,
                       attempts, composed_at, first_sent_at, last_sent_at, due_at, not_before, reason)
  select u.id, b.connection_id, :token::bigint, 'adjust', b.direction, u.method, u.path, u.request, u.key, :version::text, 'in_doubt',
         b.attempts, b.composed_at, b.first_sent_at, b.last_sent_at, :due_at::timestamptz, b.not_before, :reason::text
  from batches b, unnest(:ids::text[], :methods::text[], :paths::text[], :requests::bytea[], :keys::text[])
    as u (id, method, path, request, key)
  where b.id = :id returning id)
update ops o set batch_id = u.batch, state = 'in_doubt', reason = :reason::text, reason_code = null
from unnest(:ids::text[], :ops::text[]) as u (batch, op), made m
where m.id = u.batch and o.id = u.op and o.state in ('sent', 'in_doubt');

-- name: insert_batch(id, connection_id, token, kind, direction, method, path, request, key, api_version, composed_at)!
-- A batch is marked sent, with its key and exact bytes, under the token that holds the lane.
insert into batches (id, connection_id, lane_token, kind, direction, method, path, request, key, api_version, composed_at)
values (:id, :connection_id, :token, :kind, :direction, :method, :path, :request, :key, :api_version, :composed_at);

-- name: insert_ops(ids, batch_id, connection_id, cells, deltas, numbers, cuts, known, targets, causes, runs, rule_version, heard, stamps, composed_at)!
insert into ops (id, batch_id, connection_id, cell_id, delta, value, cut, known_before, target, cause, run_id, rule_version,
                 change_heard_at, change_stamp, composed_at)
select u.id, :batch_id, :connection_id, u.cell_id, u.delta, u.number, u.cut, u.known, u.target, u.cause, u.run_id, :rule_version,
       u.heard, u.stamp, :composed_at
from unnest(:ids::text[], :cells::bigint[], :deltas::int[], :numbers::int[], :cuts::int[], :known::int[], :targets::int[],
            :causes::text[], :runs::bigint[], :heard::timestamptz[], :stamps::timestamptz[])
  as u (id, cell_id, delta, number, cut, known, target, cause, run_id, heard, stamp);

-- name: insert_parts(ops, pairs, units)!
insert into op_parts (op_id, pair_id, units)
select u.op, u.pair, sum(u.units)::int from unnest(:ops::text[], :pairs::bigint[], :units::int[]) as u (op, pair, units)
group by u.op, u.pair having sum(u.units) <> 0;

-- name: open_ops(batch_id)
-- The ops of a batch that have no outcome yet, with the cells as the partner names them. The batch row is the lock.
select o.id, o.cell_id, o.delta, o.value, o.cut, o.cause, o.change_heard_at, o.change_stamp, o.composed_at, i.key as item_key,
       l.key as location_key
from ops o join cells c on c.id = o.cell_id join items i on i.id = c.item_id join locations l on l.id = c.location_id
where o.batch_id = :batch_id and o.state in ('sent', 'in_doubt') order by o.cell_id;

-- name: lock_batch(id)^
-- A batch that has no outcome yet, locked; none if it is settled.
select id, connection_id, lane_token, kind, direction, method, path, request, key, api_version, state, attempts,
       first_sent_at, last_sent_at, not_before, reason
from batches where id = :id and state <> 'settled' for update;

-- name: take_doubt(connection_id, now)^
-- The doubtful batch that is due longest, or one accepted by the partner whose result may be there. Anything due later
-- than its own longest wait is due now.
select id, kind from batches
where connection_id = :connection_id and state in ('in_doubt', 'accepted') and due_at <= :now
order by due_at, id limit 1 for update skip locked;

-- name: next_doubt(connection_id)$
select min(due_at) from batches where connection_id = :connection_id and state in ('in_doubt', 'accepted');

-- name: doubt_batch(id, due_at, reason)!
update batches set state = 'in_doubt', due_at = :due_at, reason = :reason where id = :id and state <> 'settled';

-- name: doubt_ops(batch_id, reason, code)!
update ops set state = 'in_doubt', reason = :reason, reason_code = :code where batch_id = :batch_id and state = 'sent';

-- name: repeat_batch(id)!
-- The identical bytes leave once more.
update batches set state = 'sent', attempts = attempts + 1, last_sent_at = inventory_clock() where id = :id and state = 'in_doubt';

-- name: key_age(id)$
-- Seconds since the first send, by the database's clock.
select extract(epoch from inventory_clock() - first_sent_at)::float8 from batches where id = :id;

-- name: send_age(id)$
-- Seconds since the last send, by the database's clock.
select extract(epoch from inventory_clock() - last_sent_at)::float8 from batches where id = :id;

-- name: repeat_wait(id)$
-- Seconds until a request without a key may be repeated after a change of owner, by the database's clock.
select greatest(0, extract(epoch from coalesce(not_before, inventory_clock()) - inventory_clock()))::float8
from batches where id = :id;

-- name: settle_ops(ids, states, reasons, codes, refs, watch_at, watch_until, settled_at)!
update ops o set state = u.state, reason = u.reason, reason_code = u.code, reference = u.reference,
  settled_at = :settled_at, watch_at = u.watch_at, watch_until = u.watch_until
from unnest(:ids::text[], :states::text[], :reasons::text[], :codes::text[], :refs::text[], :watch_at::timestamptz[],
            :watch_until::timestamptz[]) as u (id, state, reason, code, reference, watch_at, watch_until)
where o.id = u.id and o.state in ('sent', 'in_doubt');

-- name: settle_batch(id, settled_at)!
update batches set state = 'settled', settled_at = :settled_at, due_at = null
where id = :id and not exists (select 1 from ops where batch_id = :id and state in ('sent', 'in_doubt'));

-- name: op_parts_of(ids)
select x.op_id, x.pair_id, o.cell_id, x.units from op_parts x join ops o on o.id = x.op_id
where x.op_id = any(:ids::text[]) order by x.pair_id, x.op_id;

-- name: orphaned_batches(connection_id, token)
-- Batches that an owner before us left sent.
select id from batches where connection_id = :connection_id and state = 'sent' and lane_token < :token order by id for update;

-- name: adopt_batches(ids, due_at, wait_seconds)!
-- Every sent op of a former owner is in doubt; nothing without a key is repeated before lease and time-out have passed.
update batches set state = 'in_doubt', due_at = :due_at, reason = 'owner changed',
  not_before = inventory_clock() + make_interval(secs => :wait_seconds)
where id = any(:ids::text[]);

-- name: watched_ops(connection_id, now)
-- Settled ops without a key that were sent more than once: their effect may still double.
select o.id, o.cell_id, o.delta, o.doubles, o.composed_at, o.watch_at, o.watch_until, i.key as item_key, l.key as location_key
from ops o join cells c on c.id = o.cell_id join items i on i.id = c.item_id join locations l on l.id = c.location_id
where o.connection_id = :connection_id and o.watch_at <= :now
order by o.watch_at, o.id limit 1;

-- name: watched_of_cell(cell_id)
select o.id, o.cell_id, o.delta, o.doubles, o.composed_at, o.state
from ops o where o.cell_id = :cell_id and o.watch_until is not null order by o.composed_at, o.id;

-- name: next_watch(connection_id)$
select min(watch_at) from ops where connection_id = :connection_id and watch_at is not null;

-- name: rewatch(id, watch_at)!
update ops set watch_at = :watch_at, watch_until = case when :watch_at::timestamptz is null then null else watch_until end
where id = :id;

-- name: still_watched(cell_id)$
select exists (select 1 from ops where cell_id = :cell_id and watch_until is not null);

-- name: count_double(id, doubles)!
update ops set doubles = :doubles where id = :id;

-- name: insert_compensation(op_id, cell_id, units, found_at)!
insert into compensations (op_id, cell_id, units, found_at) values (:op_id, :cell_id, :units, :found_at);

-- name: known_ops(ids)
select id from ops where id = any(:ids::text[]);

-- name: unexplained_movements(connection_id, after, limit)
-- Movements whose cause has not been asked for yet, newest first.
select m.id, m.cell_id, m.delta, m.asked_at, m.previous_asked_at, i.key as item_key, l.key as location_key
from movements m join cells c on c.id = m.cell_id join items i on i.id = c.item_id join locations l on l.id = c.location_id
where c.connection_id = :connection_id and m.id > :after
  and not exists (select 1 from movement_causes x where x.movement_id = m.id)
order by m.id limit :limit;

-- name: insert_cause(movement_id, cause, reference, learnt_at)!
insert into movement_causes (movement_id, cause, reference, learnt_at)
values (:movement_id, :cause, :reference, :learnt_at) on conflict do nothing;

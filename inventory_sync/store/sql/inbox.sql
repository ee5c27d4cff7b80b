-- name: insert_notices(connections, ids, topics, kinds, hints, catalogue, requests, sent, received)$
-- Keep notices durably, each once; says how many were new.
with kept as (
  insert into inbox (connection_id, notice_id, topic, kind, hints, catalogue, requests, sent_at, received_at)
  select u.connection_id, u.id, u.topic, u.kind, u.hints::jsonb, u.catalogue::jsonb, u.requests::jsonb, u.sent, u.received
  from unnest(:connections::bigint[], :ids::text[], :topics::text[], :kinds::text[], :hints::text[], :catalogue::text[],
              :requests::text[], :sent::timestamptz[], :received::timestamptz[])
    as u (connection_id, id, topic, kind, hints, catalogue, requests, sent, received)
  order by u.connection_id, u.id
  on conflict (connection_id, notice_id) do nothing returning 1)
select count(*) from kept;

-- name: take_notices(limit)
select id, connection_id, kind, hints, catalogue, requests, sent_at, received_at
from inbox where state = 'new' order by id limit :limit for update skip locked;

-- name: end_notices(ids, state, now)!
update inbox set state = :state, handled_at = :now where id = any(:ids::bigint[]);

-- name: drop_old_notices(before)$
with gone as (delete from inbox where state <> 'new' and received_at < :before returning 1) select count(*) from gone;

-- name: insert_wishes(connections, kinds, keys, now)!
insert into wishes (connection_id, kind, key, at)
select u.connection_id, u.kind, u.key, :now
from unnest(:connections::bigint[], :kinds::text[], :keys::text[]) as u (connection_id, kind, key);

-- name: wishes_of(connection_id, limit)
select id, kind, key, at from wishes where connection_id = :connection_id order by id limit :limit;

-- name: end_wishes(ids)!
delete from wishes where id = any(:ids::bigint[]);

-- name: heard(connections, now)!
with locked as (select id from connections where id = any(:connections::bigint[]) order by id for update)
update connections c set heard_at = :now from locked where locked.id = c.id;

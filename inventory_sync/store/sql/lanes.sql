-- name: take_lease(connection_id, owner, owner_key, seconds)^
-- Take or renew the lane of a connection. A lease ends when its time is over, or when the session of its owner has
-- ended, which only that owner's advisory lock tells. Judged by the database's clock; the token rises with every owner.
insert into leases as l (connection_id, owner, owner_key, token, expires_at)
values (:connection_id, :owner, :owner_key, 1, inventory_clock() + make_interval(secs => :seconds))
on conflict (connection_id) do update set
  token = case when l.owner = excluded.owner then l.token else l.token + 1 end,
  owner = excluded.owner, owner_key = excluded.owner_key, expires_at = excluded.expires_at
where l.owner = excluded.owner or l.expires_at < inventory_clock()
   or (l.owner_key <> 0 and pg_try_advisory_xact_lock(l.owner_key))
returning token, expires_at;

-- name: lease_of(connection_id)^
select owner, owner_key, token, expires_at,
       extract(epoch from expires_at - inventory_clock())::float8 as seconds_left
from leases where connection_id = :connection_id;

-- name: lease_holds(connection_id, token, seconds)$
-- Whether the lane is ours for at least that long, locked against a take-over until the transaction ends.
select true from leases
where connection_id = :connection_id and token = :token
  and expires_at > inventory_clock() + make_interval(secs => :seconds) for share;

-- name: release_lease(connection_id, token)!
update leases set expires_at = inventory_clock() where connection_id = :connection_id and token = :token;

-- name: lane_seen(connection_id, now)!
update connections set lane_seen_at = :now where id = :connection_id;

-- name: last_run(name)$
select last_at from schedule where name = :name;

-- name: claim_run(name, last_at, now)$
-- One replica takes a due run: the row must still show the last time that was seen.
insert into schedule (name, last_at) values (:name, :now)
on conflict (name) do update set last_at = excluded.last_at
where schedule.last_at is not distinct from :last_at::timestamptz
returning true;

-- name: order_sources()
-- Connections whose orders are the source of changes.
select id from connections where orders_are_source order by id;

-- name: forget_run(name)!
-- A run that was taken and could not be done is due again.
delete from schedule where name = :name;

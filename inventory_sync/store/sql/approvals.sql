-- name: lock_connection(name)^
-- A connection that is about to change, locked against others who would change it too.
select id, name, system, identity, state, state_code, settings, secrets, version, catalogue_import
from connections where name = :name for update;

-- name: new_connection(name, system, now)$
-- A connection that exists before its credentials do.
insert into connections (name, system, settings, state, state_since)
values (:name, :system, '{}', 'created', :now) on conflict (name) do nothing returning id;

-- name: note_proof(id, granted, now)!
-- When the partner last accepted a connection, and which scopes it said it granted.
update connections set verified_at = :now, granted = :granted where id = :id;

-- name: note_refusal(id, code, reason, remedy)!
-- Why a connection that was never linked could not be. Nothing of what was tried is kept.
update connections set state_code = :code, state_reason = :reason, state_remedy = :remedy
where id = :id and state in ('created', 'awaiting_approval');

-- name: forget_catalogue(connection_id)!
-- A connection that was unlinked has no catalogue any more. Its items and cells stay, with what they knew: a catalogue
-- that is missing is not a stock of zero.
update connections set catalogue_import = null, catalogue_at = null, heard_at = null, polled_until = null
where id = :connection_id;

-- name: unlink_connection(id, code, reason, remedy, now)!
-- A connection that a person ended: its secrets are gone, its journal stays.
update connections set state = 'unlinked', state_code = :code, state_reason = :reason, state_remedy = :remedy,
  retry_at = null, secrets = null, granted = '[]', verified_at = null, version = version + 1, state_since = :now
where id = :id;

-- name: routes_of_connection(connection_id)
select id, name, state, stopped_by, blockers, ever_aligned from routes
where (ledger_id = :connection_id or channel_id = :connection_id) and stopped_by <> 'removed' order by id;

-- name: setup_steps_of(connection_id)
select step, said_at, said_by, done_at, applied_at, business_days, granted_at, reminded_at, reminders
from setup_steps where connection_id = :connection_id order by step;

-- name: say_step(connection_id, step, done_at, now, actor)!
insert into setup_steps (connection_id, step, said_at, said_by, done_at)
values (:connection_id, :step, :now, :actor, :done_at)
on conflict (connection_id, step) do update set said_at = excluded.said_at, said_by = excluded.said_by,
  done_at = excluded.done_at;

-- name: say_applied(connection_id, step, applied_at, business_days, now, actor)!
insert into setup_steps (connection_id, step, said_at, said_by, applied_at, business_days)
values (:connection_id, :step, :now, :actor, :applied_at, :business_days)
on conflict (connection_id, step) do update set said_at = excluded.said_at, said_by = excluded.said_by,
  applied_at = excluded.applied_at, business_days = excluded.business_days, granted_at = null, reminded_at = null,
  reminders = 0;

-- name: note_application(connection_id, details)!
-- What an application named, among the settings of a connection that waits for it.
update connections set settings = settings || :details::jsonb where id = :connection_id;

-- name: say_granted(connection_id, step, now, actor)!
insert into setup_steps (connection_id, step, said_at, said_by, granted_at)
values (:connection_id, :step, :now, :actor, :now)
on conflict (connection_id, step) do update set said_at = excluded.said_at, said_by = excluded.said_by,
  granted_at = excluded.granted_at;

-- name: grant_pending(connection_id, now)!
-- The partner accepted the connection: whatever was applied for has been granted.
update setup_steps set granted_at = :now
where connection_id = :connection_id and applied_at is not null and granted_at is null;

-- name: approvals_pending()
select s.connection_id, s.step, s.applied_at, s.business_days, s.reminded_at, s.reminders, n.name as connection, n.system
from setup_steps s join connections n on n.id = s.connection_id
where s.applied_at is not null and s.granted_at is null and n.state_code <> 'removed' order by s.applied_at, s.connection_id, s.step;

-- name: remind(connection_id, step, now)!
update setup_steps set reminded_at = :now, reminders = reminders + 1 where connection_id = :connection_id and step = :step;

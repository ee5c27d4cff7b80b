"""What the monitors ask the database: what the daemon believes, never what is true."""

from __future__ import annotations

TARGET = """
select k.ledger_cell, p.held, l.known, (k.owed_up + k.sent_up) * k.ratio as own_up,
       (select coalesce(sum((k2.owed_down + k2.sent_down - k2.expected) * k2.ratio), 0)
        from components k2 where k2.ledger_cell = l.id)
         + least(l.compensate, 0) + least(l.compensate_sent, 0) as down
from pairs p join components k on k.pair_id = p.id join cells l on l.id = k.ledger_cell
where p.channel_cell = $1
"""

OP = """
select o.cut, c.read_asked_at, c.condition from ops o join cells c on c.id = o.cell_id where o.id = $1
"""

DIFFERENCES = """
select c.id, c.read_asked_at,
       (select max(m.asked_at) from movements m where m.cell_id = c.id and m.kind = 'outside') as found_at
from cells c where c.id = any($1::bigint[]) order by c.id
"""

LOOKED = """
select c.id, least(c.read_asked_at, n.orders_swept_at) as since, c.residual is not null as unexplained
from cells c join connections n on n.id = c.connection_id where c.id = any($1::bigint[])
"""

EXPLAINED = """
select c.id, least(c.read_asked_at, n.orders_swept_at) as since
from cells c join connections n on n.id = c.connection_id
where c.id = any($1::bigint[]) and c.residual is null and c.read_asked_at is not null and n.orders_swept_at is not null
"""

OLDEST_MARKS = """
select n.name, max(extract(epoch from $1::timestamptz - greatest(c.dirty_since, c.settled_at)))::float8 as age
from cells c join connections n on n.id = c.connection_id
where c.dirty_since is not null and c.op_id is null group by n.name order by n.name
"""

EXPECTED = """
select ledger_cell, sum(expected * ratio)::int as units from components where expected > 0
group by ledger_cell order by ledger_cell
"""

BUSY = """
select exists (select 1 from inbox where state = 'new')
    or exists (select 1 from due)
    or exists (select 1 from cells where marked_at is not null or op_id is not null or gap <> 0 or compensate <> 0
                                      or rewrite)
    or exists (select 1 from batches where state <> 'settled')
    or exists (select 1 from components where owed_down <> 0 or owed_up <> 0)
    or exists (select 1 from pairs where phase <> 'live' or held <> 0)
    or exists (select 1 from runs where state = 'running')
    or exists (select 1 from connections where id = any($2::bigint[])
               and (polled_until is null or polled_until < $1::timestamptz - interval '70 seconds'))
    or exists (select 1 from connections where id = any($3::bigint[])
               and (orders_swept_at is null or orders_swept_at < $1::timestamptz - interval '70 seconds'))
"""

LISTED = """
select exists (
  select 1 from unnest($1::bigint[]) as u (id) where not exists (
    select 1 from runs r where r.connection_id = u.id and r.kind = 'reconcile' and r.state = 'done'
      and r.started_at > $2::timestamptz))
"""

WHY = """
select c.id, n.name, c.known, c.gap, c.blocked, c.marked_at, c.read_due, c.op_id, c.compensate, c.quarantined,
       c.residual, c.loose, p.phase, p.held, k.owed_down, k.owed_up, b.state as batch, b.due_at, b.attempts, b.reason,
       $1::timestamptz as now
from cells c join connections n on n.id = c.connection_id left join pairs p on p.channel_cell = c.id
left join components k on k.pair_id = p.id left join ops o on o.id = c.op_id left join batches b on b.id = o.batch_id
where c.marked_at is not null or c.op_id is not null or c.gap <> 0 or c.compensate <> 0 or k.owed_down <> 0
   or k.owed_up <> 0 or p.phase <> 'live' or p.held <> 0
order by c.id
"""

UNSURE = """
select p.channel_cell, p.uncertain from pairs p join cells c on c.id = p.channel_cell
where p.uncertain > 0 and exists (
  select 1 from movements m join connections n on n.id = c.connection_id
  where m.cell_id = c.id and m.kind = 'effect' and n.name = 'cart')
"""

ALERTED = "select exists (select 1 from alerts where code = 'uncertain')"

JOURNAL = """
select m.cell_id, m.delta, m.asked_at, m.answered_at, m.kind, o.order_id as "order"
from movements m left join movement_causes x on x.movement_id = m.id and x.cause = 'sale'
left join lateral (select order_id from order_lines where order_id = x.reference limit 1) o on true
order by m.cell_id, m.id
"""

-- name: take_due(heard, limit)
-- Take decisions that are due, oldest first: those about changes that were heard of, or the others. Duplicates of a cell
-- come together and count once.
with taken as (
  delete from due where id in (
    select id from due where (heard_at is not null) = :heard order by id limit :limit for update skip locked)
  returning cell_id, heard_at, stamp)
select cell_id, min(heard_at) as heard_at, min(stamp) as stamp from taken group by cell_id order by cell_id;

-- name: put_due(cells, heard, stamps)!
-- Ask for these cells to be decided again.
insert into due (cell_id, heard_at, stamp)
select * from unnest(:cells::bigint[], :heard::timestamptz[], :stamps::timestamptz[]);

-- name: put_due_dependents(cells, heard, stamps)!
-- Ask for the channel cells fed by these ledger cells to be decided again.
insert into due (cell_id, heard_at, stamp)
select p.channel_cell, u.heard_at, u.stamp
from unnest(:cells::bigint[], :heard::timestamptz[], :stamps::timestamptz[]) as u (cell_id, heard_at, stamp)
join components k on k.ledger_cell = u.cell_id
join pairs p on p.id = k.pair_id
order by p.channel_cell;

-- name: put_due_ledgers(cells, heard, stamps)!
-- Ask for the ledger cells behind these channel cells to be decided again.
insert into due (cell_id, heard_at, stamp)
select k.ledger_cell, u.heard_at, u.stamp
from unnest(:cells::bigint[], :heard::timestamptz[], :stamps::timestamptz[]) as u (cell_id, heard_at, stamp)
join pairs p on p.channel_cell = u.cell_id
join components k on k.pair_id = p.id
order by k.ledger_cell;

-- name: put_due_route(route_id)!
-- Ask for every cell of a route to be decided again, both sides.
insert into due (cell_id)
select p.channel_cell from pairs p where p.route_id = :route_id
union all
select k.ledger_cell from components k join pairs p on p.id = k.pair_id where p.route_id = :route_id;

-- name: put_due_connection(connection_id)!
-- Ask for every cell of a connection that has a pair to be decided again.
insert into due (cell_id)
select c.id from cells c where c.connection_id = :connection_id
  and (exists (select 1 from pairs p where p.channel_cell = c.id) or exists (select 1 from components k where k.ledger_cell = c.id));

-- name: lock_cells(ids)
-- Lock cells in the one order everybody locks them in.
select c.id, c.connection_id, c.known, c.condition, c.had_row, c.version, c.dirty_since, c.marked_at, c.read_due,
       c.read_asked_at, c.read_answered_at, c.settled_at, c.settled_since_read, c.stamp, c.stamp_known, c.op_id,
       c.compensate, c.compensate_sent, c.watched, c.highest, c.quarantined, c.gap, c.gap_since, c.gap_stamp, c.bisect,
       c.residual, c.residual_at, c.loose, c.rewrite, c.committed, c.aside, c.fell_at, c.held_back,
       c.waived
from cells c where c.id = any(:ids::bigint[]) order by c.id for update;

-- name: mark_hinted(now, soft_at, connections, items, locations, quantities, refs, times, list)!
-- Mark the cells that hints name. A hint that shows the level we know, or an effect of our own, only asks for a look
-- later; from a list (`list`) it asks for nothing.
with hint as (
  select * from unnest(:connections::bigint[], :items::text[], :locations::text[], :quantities::int[], :refs::text[],
                       :times::timestamptz[]) as h (connection_id, item, location, quantity, ref, at)),
hit as (
  select c.id, min(h.at) as first_at, max(h.at) as last_at,
         bool_and((h.quantity is not null and h.quantity = c.known and c.condition = 'active')
                  or exists (select 1 from ops o where o.connection_id = c.connection_id and o.reference = h.ref
                             and o.cell_id = c.id and o.state = 'applied')) as echo
  from hint h
  join items i on i.connection_id = h.connection_id and i.key = h.item
  join locations l on l.connection_id = h.connection_id and (h.location is null or l.key = h.location)
  join cells c on c.item_id = i.id and c.location_id = l.id
  group by c.id),
locked as (
  select c.id from cells c where c.id in (select id from hit where not (echo and :list)) order by c.id for update)
update cells c set
  dirty_since = case when hit.echo then c.dirty_since else coalesce(c.dirty_since, hit.first_at) end,
  marked_at = case when hit.echo then c.marked_at else greatest(c.marked_at, hit.last_at) end,
  read_due = case when hit.echo then coalesce(c.read_due, :soft_at)
                  when c.marked_at is not null then coalesce(c.read_due, :now)
                  else :now end
from hit, locked where hit.id = c.id and locked.id = c.id;

-- name: mark_cells(ids, now)!
-- Mark cells to be read, because we want to know.
with locked as (select id from cells where id = any(:ids::bigint[]) order by id for update)
update cells c set dirty_since = coalesce(c.dirty_since, :now), marked_at = greatest(c.marked_at, :now),
  read_due = least(coalesce(c.read_due, :now), :now)
from locked where locked.id = c.id;

-- name: mark_pairs_of_route(route_id, now)!
-- Mark both sides of a route's pairs to be read.
with wanted as (
  select p.channel_cell as id from pairs p where p.route_id = :route_id
  union select k.ledger_cell from components k join pairs p on p.id = k.pair_id where p.route_id = :route_id),
locked as (select c.id from cells c join wanted w on w.id = c.id order by c.id for update of c)
update cells c set dirty_since = coalesce(c.dirty_since, :now), marked_at = greatest(c.marked_at, :now),
  read_due = least(coalesce(c.read_due, :now), :now)
from locked where locked.id = c.id;

-- name: mark_siblings(ids, now)!
-- After a difference in one ledger cell of a pool or set, the others are read before an increase is told: it may be a
-- transfer between them.
with wanted as (
  select distinct k2.ledger_cell as id from components k join pairs p on p.id = k.pair_id and p.shape <> 'single'
  join components k2 on k2.pair_id = p.id
  where k.ledger_cell = any(:ids::bigint[]) and k2.ledger_cell <> all(:ids::bigint[])),
locked as (select c.id from cells c join wanted w on w.id = c.id order by c.id for update of c)
update cells c set dirty_since = coalesce(c.dirty_since, :now), marked_at = greatest(c.marked_at, :now),
  read_due = least(coalesce(c.read_due, :now), :now)
from locked where locked.id = c.id;

-- name: on_hand_cells(ids)
-- Channel cells of routes whose ledger counts what is physically there.
select p.channel_cell from pairs p join routes r on r.id = p.route_id
where p.channel_cell = any(:ids::bigint[]) and r.ledger_basis = 'on_hand' order by p.channel_cell;

-- name: cells_to_read(connection_id, now, limit)
-- Cells whose reading is due, with the version they are asked at: those that something was heard of first, then those
-- that are only looked at again; of each the longest due first.
select c.id, c.version, c.marked_at, i.key as item_key, l.key as location_key
from (
  (select id, false as soft, read_due from cells where connection_id = :connection_id and read_due <= :now and op_id is null
     and marked_at is not null order by read_due, id limit :limit)
  union all
  (select id, true, read_due from cells where connection_id = :connection_id and read_due <= :now and op_id is null
     and marked_at is null order by read_due, id limit :limit)
  order by soft, read_due, id limit :limit) as next
join cells c on c.id = next.id join items i on i.id = c.item_id join locations l on l.id = c.location_id
order by next.soft, next.read_due, c.id;

-- name: next_read_due(connection_id)$
select min(read_due) from cells where connection_id = :connection_id and read_due is not null and op_id is null;

-- name: write_readings(ids, known, conditions, had_row, dirty_since, marked_at, read_due, asked_at, answered_at, stamps, highest, residual, residual_at, loose, waived, committed, aside)!
-- Write the levels that a batch of readings that counted left behind.
update cells c set
  known = u.known, condition = u.condition, had_row = u.had_row, version = c.version + 1,
  dirty_since = u.dirty_since, marked_at = u.marked_at, read_due = u.read_due,
  read_asked_at = :asked_at, read_answered_at = :answered_at, settled_since_read = false,
  stamp = u.stamp, stamp_known = u.stamp is not null, highest = u.highest, residual = u.residual,
  residual_at = u.residual_at, loose = u.loose::int[], waived = u.waived::int[], committed = u.committed, aside = u.aside
from unnest(:ids::bigint[], :known::int[], :conditions::text[], :had_row::bool[], :dirty_since::timestamptz[],
            :marked_at::timestamptz[], :read_due::timestamptz[], :stamps::timestamptz[], :highest::int[],
            :residual::int[], :residual_at::timestamptz[], :loose::text[], :waived::text[],
            :committed::int[], :aside::int[])
  as u (id, known, condition, had_row, dirty_since, marked_at, read_due, stamp, highest, residual, residual_at, loose,
        waived, committed, aside)
where c.id = u.id;

-- name: postpone_reads(ids, times)!
-- Ask again later for cells whose reading did not count, or that were not answered.
update cells c set read_due = u.at
from unnest(:ids::bigint[], :times::timestamptz[]) as u (id, at) where c.id = u.id;

-- name: write_movements(cells, deltas, befores, afters, marked, previous, stamps, kinds, turns, asked_at, answered_at)
-- Journal what somebody else did, one row a cell.
insert into movements (cell_id, delta, before, after, marked_at, previous_asked_at, stamp, kind, turn, asked_at, answered_at)
select u.cell_id, u.delta, u.before, u.after, u.marked_at, u.previous, u.stamp, u.kind, u.turn, :asked_at, :answered_at
from unnest(:cells::bigint[], :deltas::int[], :befores::int[], :afters::int[], :marked::timestamptz[],
            :previous::timestamptz[], :stamps::timestamptz[], :kinds::text[], :turns::bool[])
  with ordinality as u (cell_id, delta, before, after, marked_at, previous, stamp, kind, turn, n)
order by u.n
returning id, cell_id;

-- name: write_gaps(ids, gaps, urgencies, since, stamps, blocked)!
-- Write what was decided.
update cells c set gap = u.gap, urgency = u.urgency, gap_since = u.since, gap_stamp = u.stamp, blocked = u.blocked
from unnest(:ids::bigint[], :gaps::int[], :urgencies::smallint[], :since::timestamptz[], :stamps::timestamptz[],
            :blocked::text[]) as u (id, gap, urgency, since, stamp, blocked)
where c.id = u.id;

-- name: oldest_waiting(connection_id)^
-- Since when live changes wait to be written, and increases among them.
select min(gap_since) as live, min(gap_since) filter (where urgency = 2) as increase
from cells where connection_id = :connection_id and gap <> 0 and op_id is null and urgency between 0 and 2;

-- name: cells_to_write(connection_id, from_urgency, to_urgency, limit)
-- The most urgent cells with something to write; those that another batch holds are passed over.
select c.id from cells c
where c.connection_id = :connection_id and (c.gap <> 0 or c.rewrite) and c.op_id is null
  and c.urgency between :from_urgency and :to_urgency
order by c.urgency, c.gap_since, c.id limit :limit for update skip locked;

-- name: anything_to_write(connection_id)$
select exists (
  select 1 from cells
  where connection_id = :connection_id and (gap <> 0 or rewrite) and op_id is null and urgency between 0 and 2);

-- name: next_activation(connection_id)^
-- One cell that must be made active before it can be written.
select c.id, i.key as item_key, l.key as location_key
from cells c join items i on i.id = c.item_id join locations l on l.id = c.location_id
where c.connection_id = :connection_id and c.blocked = 'activate' and c.op_id is null
order by c.gap_since, c.id limit 1 for update of c skip locked;

-- name: cell_keys(ids)
select c.id, i.key as item_key, l.key as location_key
from cells c join items i on i.id = c.item_id join locations l on l.id = c.location_id
where c.id = any(:ids::bigint[]) order by c.id;

-- name: note_sent(ids, ops)!
-- A cell's op is under way: the version rises, the gap is in the op now.
update cells c set op_id = u.op, version = c.version + 1, gap = 0, urgency = 9, blocked = 'in_flight', rewrite = false
from unnest(:ids::bigint[], :ops::text[]) as u (id, op) where c.id = u.id;

-- name: ask_rewrite(ids)!
-- Of these cells, the numbers that cannot be read have to be set again.
with locked as (
  select id from cells where id = any(:ids::bigint[]) and condition = 'unreadable' and not rewrite order by id for update)
update cells c set rewrite = true from locked where locked.id = c.id;

-- name: note_settled(ids, known, settled_at, stamps, stamp_known, read_due, dirty, bisect, quarantined, conditions)!
-- An op of the cell has its outcome: the version rises, the level moves.
update cells c set op_id = null, version = c.version + 1, known = u.known, settled_at = :settled_at,
  settled_since_read = true, stamp = u.stamp, stamp_known = u.stamp_known,
  read_due = least(c.read_due, u.read_due),
  dirty_since = case when u.dirty then coalesce(c.dirty_since, :settled_at) else c.dirty_since end,
  marked_at = case when u.dirty then greatest(c.marked_at, :settled_at) else c.marked_at end,
  bisect = u.bisect, quarantined = c.quarantined or u.quarantined,
  condition = coalesce(u.condition, c.condition), blocked = '', gap_since = null, gap_stamp = null,
  highest = greatest(c.highest, u.known - greatest(c.held_back, 0))
from unnest(:ids::bigint[], :known::int[], :stamps::timestamptz[], :stamp_known::bool[], :read_due::timestamptz[],
            :dirty::bool[], :bisect::int[], :quarantined::bool[], :conditions::text[])
  as u (id, known, stamp, stamp_known, read_due, dirty, bisect, quarantined, condition)
where c.id = u.id;

-- name: add_compensation(ids, units)!
update cells c set compensate = c.compensate + u.units
from unnest(:ids::bigint[], :units::int[]) as u (id, units) where c.id = u.id;

-- name: send_compensation(ids, units)!
-- Compensating units of a cell are in an op now.
update cells c set compensate = c.compensate - u.units, compensate_sent = c.compensate_sent + u.units
from unnest(:ids::bigint[], :units::int[]) as u (id, units) where c.id = u.id;

-- name: end_compensation(ids, units, returned)!
-- A compensating op has its outcome; what was not done is owed again.
update cells c set compensate_sent = c.compensate_sent - u.units, compensate = c.compensate + u.returned
from unnest(:ids::bigint[], :units::int[], :returned::int[]) as u (id, units, returned) where c.id = u.id;

-- name: watch_cells(ids, watched)!
update cells set watched = :watched where id = any(:ids::bigint[]);

-- name: quarantine_cells(ids, codes, reasons, ops, now)!
insert into quarantine (cell_id, code, reason, op_id, since)
select u.id, u.code, u.reason, u.op, :now
from unnest(:ids::bigint[], :codes::text[], :reasons::text[], :ops::text[]) as u (id, code, reason, op)
on conflict (cell_id) do update set code = excluded.code, reason = excluded.reason, op_id = excluded.op_id;

-- name: forget_levels(route_id, now)!
-- What a route's cells were known to hold is known no more: their next reading is a base reading.
with wanted as (
  select p.channel_cell as id from pairs p where p.route_id = :route_id
  union select k.ledger_cell from components k join pairs p on p.id = k.pair_id where p.route_id = :route_id),
locked as (select c.id from cells c join wanted w on w.id = c.id order by c.id for update of c),
free as (
  update holds h set released_at = :now, released_by = 'levels forgotten'
  from locked where h.cell_id = locked.id and h.released_at is null)
update cells c set known = null, held_back = 0, condition = 'unread', version = c.version + 1, dirty_since = coalesce(c.dirty_since, :now),
  marked_at = greatest(c.marked_at, :now), read_due = :now, gap = 0, compensate = 0
from locked where locked.id = c.id;

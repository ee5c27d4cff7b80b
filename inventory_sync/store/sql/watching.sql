-- name: watch_state(cells)
-- What was last seen of these watched channel cells, what they show now, and the latest change they have not come to
-- show. `ordered`: units of all orders that are known, whatever became of the parcel.
select p.id as pair_id, p.channel_cell, c.known as shown, c.committed, c.read_asked_at,
       coalesce((select sum(o.quantity) from order_lines o
                 where o.cell_id = c.id and o.state in ('provisional', 'placed', 'shipped')), 0)::bigint as ordered,
       w.wanted, w.offset_units, w.shown as was_shown, w.committed as was_committed, w.ordered as was_ordered,
       s.id as span_id, s.wanted_since, s.confirmed
from pairs p
join cells c on c.id = p.channel_cell
left join watch_cells w on w.pair_id = p.id
left join lateral (select id, wanted_since, confirmed from watch_spans
                   where pair_id = p.id and reached_at is null order by id desc limit 1) s on true
where p.channel_cell = any(:cells::bigint[]) and p.phase <> 'suspended' and c.known is not null
order by p.id;

-- name: put_watch_cells(pairs, wanted, offsets, shown, committed, ordered, now)!
insert into watch_cells (pair_id, wanted, offset_units, shown, committed, ordered, looked_at)
select u.pair_id, u.wanted, u.offset_units, u.shown, u.committed, u.ordered, :now
from unnest(:pairs::bigint[], :wanted::int[], :offsets::int[], :shown::int[], :committed::int[], :ordered::bigint[])
  as u (pair_id, wanted, offset_units, shown, committed, ordered)
order by u.pair_id
on conflict (pair_id) do update set wanted = excluded.wanted, offset_units = excluded.offset_units, shown = excluded.shown,
  committed = excluded.committed, ordered = excluded.ordered, looked_at = excluded.looked_at;

-- name: open_spans(pairs, befores, wanted, shown, since)!
insert into watch_spans (pair_id, before, wanted, shown, wanted_since)
select * from unnest(:pairs::bigint[], :befores::int[], :wanted::int[], :shown::int[], :since::timestamptz[]);

-- name: reach_spans(pairs, times)!
-- The channel shows the number of the latest change, and with it has caught up with all before.
update watch_spans s set reached_at = greatest(s.wanted_since, u.at)
from unnest(:pairs::bigint[], :times::timestamptz[]) as u (pair_id, at)
where s.pair_id = u.pair_id and s.reached_at is null;

-- name: note_spans(ids, sold, confirmed)!
-- What was sold while a channel had not come to show a change, and that it was seen not to.
update watch_spans s set sold = s.sold + u.sold, confirmed = s.confirmed or u.confirmed
from unnest(:ids::bigint[], :sold::int[], :confirmed::bool[]) as u (id, sold, confirmed) where s.id = u.id;

-- name: forget_watching(route_id)!
-- A trial begins anew: what an earlier one found is not mixed with it.
with spans as (delete from watch_spans s using pairs p where p.id = s.pair_id and p.route_id = :route_id)
delete from watch_cells w using pairs p where p.id = w.pair_id and p.route_id = :route_id;

-- name: drop_old_spans(before, keep)$
-- The latest of each pair are kept, up to a number and an age.
with surplus as (
  select id from (select s.id, row_number() over (partition by s.pair_id order by s.id desc) as n from watch_spans s) as x
  where n > :keep
  union
  select id from watch_spans where wanted_since < :before order by 1),
gone as (delete from watch_spans s using surplus u where s.id = u.id returning 1)
select count(*) from gone;

-- name: watch_figures(route_id, since, long_ago)^
-- The report of a trial in one row. Seconds from when a change was heard of to when the channel was seen to show it.
select count(*)::bigint as changes,
       count(*) filter (where s.reached_at is not null)::bigint as reached,
       count(*) filter (where s.reached_at is null and s.wanted_since <= :long_ago)::bigint as never,
       count(*) filter (where s.reached_at is null and s.wanted_since > :long_ago)::bigint as open,
       percentile_cont(0.5) within group (order by s.late) filter (where s.late is not null) as median_s,
       percentile_cont(0.95) within group (order by s.late) filter (where s.late is not null) as p95_s,
       max(s.late) as longest_s,
       coalesce(sum(s.sold), 0)::bigint as sold_units,
       coalesce(sum(greatest(0, s.sold - greatest(0, s.wanted))), 0)::bigint as oversold_units,
       count(distinct s.pair_id) filter (where s.sold > greatest(0, s.wanted))::bigint as oversold_cells
from (select x.*, extract(epoch from x.reached_at - x.wanted_since)::float8 as late from watch_spans x) as s
join pairs p on p.id = s.pair_id
where p.route_id = :route_id and s.wanted_since >= :since;

-- name: watch_now(route_id)^
-- How watched cells stand at this moment: those that show another number than we would tell, and more than that.
select count(*)::bigint as cells, count(*) filter (where w.shown <> w.wanted)::bigint as differ,
       count(*) filter (where w.shown > w.wanted)::bigint as too_high
from watch_cells w join pairs p on p.id = w.pair_id where p.route_id = :route_id;

-- name: watch_worst(route_id, since, now, limit)
-- The changes that the channel was slowest to show, those it never came to show by how long they wait.
select p.value, l.name as location, s.before, s.wanted, s.shown, s.sold, s.wanted_since, s.reached_at,
       extract(epoch from coalesce(s.reached_at, :now) - s.wanted_since)::float8 as late_s
from watch_spans s join pairs p on p.id = s.pair_id join cells c on c.id = p.channel_cell join locations l on l.id = c.location_id
where p.route_id = :route_id and s.wanted_since >= :since
order by coalesce(s.reached_at, :now) - s.wanted_since desc, s.id limit :limit;

-- name: route_owes(route_id)^
-- What a route's pairs have yet to bring to the ledger, in units of the ledger: owed and not told, told and not
-- acknowledged, and sales that somebody else is to book.
select count(distinct k.pair_id) filter (
         where k.owed_down <> 0 or k.owed_up <> 0 or k.sent_down <> 0 or k.sent_up <> 0 or k.expected <> 0)::bigint as pairs,
       coalesce(sum((k.owed_up - k.owed_down) * k.ratio), 0)::bigint as owed,
       coalesce(sum((k.sent_up - k.sent_down) * k.ratio), 0)::bigint as sent,
       coalesce(sum(k.expected * k.ratio), 0)::bigint as expected
from components k join pairs p on p.id = k.pair_id
where p.route_id = :route_id;

-- name: forget_owed(route_id, now)!
-- Nothing is owed or expected by a route any more, because a person said so with the number.
with ours as (select id from pairs where route_id = :route_id),
sales as (
  update expected e set state = 'released', open = 0, closed_at = :now::timestamptz
  from ours where e.pair_id = ours.id and e.open > 0)
update components k set owed_down = 0, owed_up = 0, expected = 0 from ours where k.pair_id = ours.id;

-- name: begin_watching(route_id, now)!
update routes set watched_since = :now where id = :route_id;

-- name: wait_after_watching(route_id, preview_id, now)!
-- What moved between a preview and its acceptance, while the route was watching, is owed to nobody: these pairs are told
-- no increase before their gap is confirmed as it was shown, or shown anew. What falls flows.
update pairs p set phase = 'waiting', phase_reason = 'watched', phase_since = :now
from preview_rows w where w.preview_id = :preview_id and w.pair_id = p.id and w.action <> 'excluded' and w.before is not null
  and p.route_id = :route_id and p.phase = 'new';

-- name: lock_route_cells(route_id)
-- Every cell of a route, in the one order everybody locks them in.
select c.id from cells c where c.id in (
  select p.channel_cell from pairs p where p.route_id = :route_id
  union select k.ledger_cell from components k join pairs p on p.id = k.pair_id where p.route_id = :route_id)
order by c.id for update;

-- name: delete_pairs(route_id)$
with locked as (select id from pairs where route_id = :route_id order by id for update),
gone as (delete from pairs p using locked where locked.id = p.id returning 1)
select count(*) from gone;

-- name: unmap_route(route_id, now)!
-- The mapping is gone, and with it everything that was confirmed about it.
update routes set ever_aligned = false, unmapped_at = :now, match_report = null, matched_at = null where id = :route_id;

-- name: map_again(route_id)!
update routes set unmapped_at = null where id = :route_id;

-- name: read_anew(route_id, now)!
-- The cells of a route that no other pair lives of are read as if for the first time: what moved while nothing was
-- mapped is knowledge, and no movement. A ledger cell that feeds another route keeps what is known of it.
with wanted as (
  select p.channel_cell as id from pairs p where p.route_id = :route_id and p.phase <> 'suspended'
  union select k.ledger_cell from components k join pairs p on p.id = k.pair_id
  where p.route_id = :route_id and p.phase <> 'suspended'),
locked as (
  select c.id from cells c join wanted w on w.id = c.id
  where c.op_id is null and c.compensate = 0 and c.compensate_sent = 0 and not exists (
    select 1 from components k join pairs o on o.id = k.pair_id
    where k.ledger_cell = c.id and o.route_id <> :route_id and o.phase <> 'suspended')
  order by c.id for update of c)
update cells c set known = null, condition = 'unread', version = c.version + 1,
  dirty_since = coalesce(c.dirty_since, :now), marked_at = greatest(c.marked_at, :now), read_due = :now, gap = 0,
  residual = null, residual_at = null
from locked where locked.id = c.id;

-- name: numbers_left(route_id)
-- What every channel cell of a route shows, and what its ledger holds beside it, as last known.
with e as materialized (select pair_id, effective, readable from pair_effective)
select p.id as pair, p.value, i.name as item, l.name as location, c.known as channel, c.condition,
       case when e.readable then e.effective end as ledger, c.op_id is not null as under_way, p.ledger_moved,
       p.channel_up, c.id as cell, p.phase,
       (select coalesce(min(k.owed_down), 0) from components k where k.pair_id = p.id and k.intake)::int as owed_down
from pairs p join cells c on c.id = p.channel_cell join items i on i.id = c.item_id join locations l on l.id = c.location_id
left join e on e.pair_id = p.id
where p.route_id = :route_id and p.phase <> 'suspended'
order by l.name, p.value, p.id;

-- name: counts_left(route_id)
-- The same, summed for each location of the channel.
select l.name as location, count(*)::bigint as cells, count(*) filter (where c.known > 0)::bigint as on_sale,
       coalesce(sum(greatest(c.known, 0)), 0)::bigint as units, count(*) filter (where c.known is null)::bigint as unknown,
       count(*) filter (where c.op_id is not null)::bigint as under_way
from pairs p join cells c on c.id = p.channel_cell join locations l on l.id = c.location_id
where p.route_id = :route_id and p.phase <> 'suspended' group by l.id, l.name order by l.name, l.id;

-- name: put_zero_rows(preview_id, route_id)!
-- What telling a channel 0 would do to each of its cells. An unknown number is left alone.
insert into preview_rows (preview_id, position, pair_id, action, before, after, gap, why_en, why_ja)
select :preview_id, row_number() over (order by x.value, x.id), x.id, x.action, x.known,
       case when x.action = 'zero' then 0 else x.known end, case when x.action = 'zero' then -x.known else 0 end,
       case x.action when 'zero' then 'the channel is told 0; the route is stopped'
                     when 'nothing' then 'nothing is on sale here already'
                     else case when x.left_out then 'the publish rule leaves it out, so it is left alone'
                               else 'its number is not known, so it is left alone' end end,
       case x.action when 'zero' then '販売チャネルを 0 にします。ルートは停止します'
                     when 'nothing' then 'すでに販売できる在庫がありません'
                     else case when x.left_out then '公開設定で対象外のため、変更しません'
                               else '在庫数が分からないため、変更しません' end end
from (select p.id, p.value, c.known, u.excluded as left_out,
             case when c.known is null or c.condition <> 'active' or u.excluded then 'excluded'
                  when c.known <= 0 then 'nothing' else 'zero' end as action
      from pairs p join cells c on c.id = p.channel_cell join pair_rules u on u.pair_id = p.id
      where p.route_id = :route_id and p.phase <> 'suspended') as x;

-- name: count_zero_rows(preview_id)^
select count(*)::bigint as pairs, count(*) filter (where action = 'zero')::bigint as zero,
       count(*) filter (where action = 'nothing')::bigint as nothing,
       count(*) filter (where action = 'excluded')::bigint as excluded, coalesce(sum(gap), 0)::bigint as units_down
from preview_rows where preview_id = :preview_id;

-- name: zero_pairs(preview_id, route_id)$
-- The pairs of an accepted preview are told 0; says how many.
with told as (
  update pairs p set zeroing = true from preview_rows w
  where w.preview_id = :preview_id and w.action = 'zero' and p.id = w.pair_id and p.route_id = :route_id
    and p.phase <> 'suspended' returning 1)
select count(*) from told;

-- name: end_zeroing(cells)!
-- Nothing is on sale there any more: a person who raises the number from now on is left alone.
update pairs p set zeroing = false from cells c
where p.channel_cell = any(:cells::bigint[]) and p.zeroing and c.id = p.channel_cell and c.op_id is null
  and (c.known <= 0 or c.condition not in ('active', 'unread'));

-- name: forget_zeroing(route_id)!
update pairs set zeroing = false where route_id = :route_id and zeroing;

-- name: stopped_longer(route_id, seconds)$
-- Whether a route that once ran has stood still for longer than this, by the database's clock.
select coalesce(inventory_clock() - stopped_since > make_interval(secs => :seconds::float8), false)
from routes where id = :route_id;

-- name: wait_after_long_stop(route_id, now)$
-- Every pair that lived before a long stop waits for a person; what fell is delivered with the start.
with locked as (
  select id from pairs where route_id = :route_id and phase in ('live', 'catching_up') order by id for update),
done as (
  update pairs p set phase = 'waiting', phase_reason = 'long_stop', phase_since = :now from locked where locked.id = p.id
  returning 1)
select count(*) from done;

-- name: moved_since_stop(route_id)^
-- How many pairs moved on either side while their route stood still.
select count(*) filter (where ledger_moved <> 0)::bigint as ledger,
       count(*) filter (where channel_up <> 0 or owed <> 0)::bigint as channel,
       count(*) filter (where ledger_moved > 0 and channel_up > 0)::bigint as both_rose
from (select p.ledger_moved, p.channel_up,
             (select coalesce(sum(k.owed_down), 0) from components k where k.pair_id = p.id and k.intake) as owed
      from pairs p where p.route_id = :route_id and p.phase <> 'suspended') as x;

-- name: moved_of_pairs(pairs)
-- What both sides of these pairs did since their route stopped, as far as it was read.
select p.id, p.ledger_moved, p.channel_up,
       (select coalesce(min(k.owed_down), 0) from components k where k.pair_id = p.id and k.intake)::int as owed_down
from pairs p where p.id = any(:pairs::bigint[]) order by p.id;

-- name: orders_are_needed(connection_id)!
-- Orders are the source of changes at this connection, and no list of them was ever complete.
update connections set orders_are_source = true where id = :connection_id and not orders_are_source;

-- name: route_facts(route_id)^
-- What the state of a route depends on, besides its own row.
select exists (select 1 from location_pairs lp where lp.route_id = r.id) as located,
       (select count(*) from pairs p where p.route_id = r.id and p.phase <> 'suspended')::bigint as mapped,
       g.name as ledger, g.state as ledger_state, g.catalogue_import is not null as ledger_catalogue,
       g.calibration as ledger_calibration, g.state_remedy as ledger_remedy,
       h.name as channel, h.state as channel_state, h.catalogue_import is not null as channel_catalogue,
       h.calibration as channel_calibration, h.state_remedy as channel_remedy,
       h.orders_are_source and h.orders_swept_at is null as no_orders,
       (select count(*) from locations l where l.connection_id = g.id and l.active and l.mappable)::int as ledger_locations,
       (select count(*) from locations l where l.connection_id = h.id and l.active and l.mappable)::int as channel_locations,
       (select coalesce(array_agg(f.kind order by f.kind), '{}') from catalogue_files f
        where f.connection_id in (g.id, h.id)) as files_waiting,
       r.unmapped_at, r.stopped_since, r.watched_since
from routes r join connections g on g.id = r.ledger_id join connections h on h.id = r.channel_id where r.id = :route_id;

-- name: field_has_values(connection_id, fields)$
-- Whether any item of a catalogue has a value in one of these fields.
select exists (select 1 from items i, unnest(:fields::text[]) as f (name)
               where i.connection_id = :connection_id and not i.gone and coalesce(i.codes ->> f.name, '') <> '');

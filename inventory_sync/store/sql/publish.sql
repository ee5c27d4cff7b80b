-- name: publish_overrides_of(route_id, after, limit)
-- What a route does otherwise for single codes, by code, and how many of its pairs each is about.
select o.code, o.buffer, o.auto_buffer, o.percent, o.maximum, o.unlimited, o.end_when, o.offset_units, o.offset_until,
       o.offset_ended_at, o.excluded, o.set_at, o.set_by,
       (select count(*) from pairs p where p.route_id = o.route_id and p.value = o.code and p.phase <> 'suspended') as pairs
from publish_overrides o where o.route_id = :route_id and o.code > :after order by o.code limit :limit;

-- name: publish_overrides_among(route_id, codes)
-- The overrides of these codes, locked, by code.
select code, buffer, auto_buffer, percent, maximum, unlimited, end_when, offset_units, offset_until, offset_ended_at, excluded
from publish_overrides where route_id = :route_id and code = any(:codes::text[]) order by code for update;

-- name: publish_codes_of(route_id)
-- Every code of a route that has an override.
select code from publish_overrides where route_id = :route_id order by code;

-- name: put_overrides(route_id, codes, buffers, autos, percents, maxima, unlimited, ends, offsets, untils, excluded, now, actor)!
insert into publish_overrides (route_id, code, buffer, auto_buffer, percent, maximum, unlimited, end_when, offset_units,
                               offset_until, offset_ended_at, excluded, set_at, set_by)
select :route_id, u.code, u.buffer, u.auto, u.percent, u.maximum, u.unlimited, u.end_when, u.units, u.until,
       case when u.until <= :now then :now::timestamptz end, u.excluded, :now, :actor
from unnest(:codes::text[], :buffers::int[], :autos::boolean[], :percents::int[], :maxima::int[], :unlimited::boolean[],
            :ends::int[], :offsets::int[], :untils::timestamptz[], :excluded::boolean[])
  as u (code, buffer, auto, percent, maximum, unlimited, end_when, units, until, excluded)
order by u.code
on conflict (route_id, code) do update set buffer = excluded.buffer, auto_buffer = excluded.auto_buffer,
  percent = excluded.percent, maximum = excluded.maximum, unlimited = excluded.unlimited, end_when = excluded.end_when,
  offset_units = excluded.offset_units, offset_until = excluded.offset_until, offset_ended_at = excluded.offset_ended_at,
  excluded = excluded.excluded, set_at = excluded.set_at, set_by = excluded.set_by;

-- name: drop_overrides(route_id, codes)!
delete from publish_overrides where route_id = :route_id and code = any(:codes::text[]);

-- name: publish_values(route_id)
-- The codes of a route's pairs.
select distinct value from pairs where route_id = :route_id and phase <> 'suspended' order by value;

-- name: publish_cells(route_id, codes, after, limit)
-- The channel cells of the pairs of these codes, and what they are called, in the order of the cells.
select p.id as pair_id, p.value, p.phase, c.*, i.name as item_name, l.name as location_name
from pairs p join cells c on c.id = p.channel_cell join items i on i.id = c.item_id join locations l on l.id = c.location_id
where p.route_id = :route_id and p.phase <> 'suspended' and (:codes::text[] is null or p.value = any(:codes::text[]))
  and c.id > :after
order by c.id limit :limit;

-- name: publish_side(route_id)$
-- How many channel cells of a route there are.
select count(*) from pairs where route_id = :route_id and phase <> 'suspended';

-- name: rules_of_pairs(pairs)
-- The rule of these pairs and where each part of it comes from.
select u.pair_id, u.buffer, u.auto, u.percent, u.maximum, u.end_when, u.offset_units, u.offset_until, u.excluded, u.code,
       o.buffer as own_buffer, coalesce(o.auto_buffer, false) as own_auto, o.percent as own_percent,
       o.maximum as own_maximum, coalesce(o.unlimited, false) as own_unlimited, o.end_when as own_end_when, o.offset_ended_at, o.set_at, o.set_by,
       r.buffer as least, r.auto_most as most, a.units, a.covers, a.lag_s, a.measured, a.sold, a.window_s, a.lower_since, a.reckoned_at
from pair_rules u join pairs p on p.id = u.pair_id join routes r on r.id = p.route_id
left join publish_overrides o on o.route_id = p.route_id and o.code = p.value
left join auto_buffers a on a.pair_id = p.id
where u.pair_id = any(:pairs::bigint[]) order by u.pair_id;

-- name: publish_again(pairs, now)!
-- What was left out is published again: its gap was confirmed, so nothing of the time before is kept.
update pairs set phase = 'live', phase_reason = '', phase_since = :now, kept = 0, ledger_moved = 0, channel_up = 0
where id = any(:pairs::bigint[]) and phase in ('new', 'live');

-- name: propose_changed(run_id, pairs, ranks, befores, afters, now)!
-- These living pairs become rows of a run that tells each channel cell its new target: what is gone first, then falls,
-- then rises. What other runs have yet to write is left to them.
insert into run_rows (run_id, pair_id, cell_id, side, rank, action, before, after, kept, state, phase_before, kept_before, since)
select :run_id, p.id, p.channel_cell, 'channel', u.rank, 'publish', u.before, u.after, p.kept, 'confirmed', p.phase, p.kept, :now
from unnest(:pairs::bigint[], :ranks::int[], :befores::int[], :afters::int[]) as u (id, rank, before, after)
join pairs p on p.id = u.id
where p.phase = 'live'
  and not exists (select 1 from run_rows w where w.cell_id = p.channel_cell and w.state in ('confirmed', 'released', 'sent'))
order by p.id;

-- name: supersede_publish(cells, now)!
-- What stopped publish runs left of these cells is part of a newer change.
update run_rows set state = 'skipped', reason = 'superseded', reason_code = null, since = :now
where cell_id = any(:cells::bigint[]) and state = 'proposed' and action = 'publish';

-- name: end_offsets(now)
-- Offsets whose time is over end. The channel cells that are told other numbers by it.
with over as (
  update publish_overrides set offset_ended_at = :now
  where offset_until <= :now and offset_ended_at is null returning route_id, code)
select p.channel_cell, o.route_id, o.code from over o join pairs p on p.route_id = o.route_id and p.value = o.code
where p.phase <> 'suspended' order by p.channel_cell;

-- name: routes_with_auto()
-- Routes of which some pair has an automatic buffer, or had one.
select r.id, r.name, r.channel_id from routes r
where r.state in ('running', 'watching') and (r.auto_buffer
  or exists (select 1 from publish_overrides o where o.route_id = r.id and o.auto_buffer))
order by r.id;

-- name: route_lag(route_id, since, limit)^
-- How late the channel of a route was told of changes: the latest measurements, and the 95th percentile in seconds.
with lately as (
  select greatest(0, extract(epoch from o.settled_at - least(o.change_stamp, o.change_heard_at)))::float8 as lag
  from ops o join pairs p on p.channel_cell = o.cell_id and p.route_id = :route_id
  where o.composed_at >= :since and o.state = 'applied' and o.cause = 'live'
    and coalesce(o.change_stamp, o.change_heard_at) is not null
  order by o.composed_at desc, o.id limit :limit)
select count(*)::int as measured, percentile_cont(0.95) within group (order by lag) as lag from lately;

-- name: auto_sales(route_id, since, lately, sales)
-- Of the pairs with an automatic buffer those that sold elsewhere since a time, or that have a buffer already: units of
-- the pair that left its ledger cells, at the counter or by other channels whose sales we book, since both times.
with wanted as materialized (
  select p.id, p.channel_cell, p.shape, r.buffer as least, r.auto_most as most
  from pairs p join routes r on r.id = p.route_id join pair_rules u on u.pair_id = p.id
  where p.route_id = :route_id and u.auto and p.phase in ('live', 'catching_up', 'waiting')),
falls as materialized (
  select m.cell_id, -sum(m.delta) as long, -coalesce(sum(m.delta) filter (where m.asked_at >= :lately), 0) as short
  from movements m left join movement_causes x on x.movement_id = m.id
  where m.asked_at >= :since and m.delta < 0 and m.kind = 'outside'
    and (coalesce(x.cause, '') = '' or string_to_array(x.cause, '+') && :sales::text[])
  group by m.cell_id),
others as materialized (
  select k.ledger_cell, k.pair_id, f.long * k.ratio as long, f.short * k.ratio as short
  from falls f join pairs p on p.channel_cell = f.cell_id join routes r on r.id = p.route_id and r.sales = 'post'
  join components k on k.pair_id = p.id and k.intake),
left_cell as (
  select w.id, w.shape, k.ratio,
         coalesce(f.long, 0) + coalesce((select sum(o.long) from others o where o.ledger_cell = k.ledger_cell and o.pair_id <> w.id), 0) as long,
         coalesce(f.short, 0) + coalesce((select sum(o.short) from others o where o.ledger_cell = k.ledger_cell and o.pair_id <> w.id), 0) as short
  from wanted w join components k on k.pair_id = w.id left join falls f on f.cell_id = k.ledger_cell),
sold as (
  select id, case when shape = 'set' then max(ceil(long::numeric / ratio)) else sum(long) end::int as long,
         case when shape = 'set' then max(ceil(short::numeric / ratio)) else sum(short) end::int as short
  from left_cell group by id, shape)
select w.id as pair_id, w.channel_cell, w.least, w.most, s.long, s.short, a.units, a.lower_since, a.lower_most
from wanted w join sold s on s.id = w.id left join auto_buffers a on a.pair_id = w.id
where s.long > 0 or a.pair_id is not null order by w.id;

-- name: put_auto_buffers(pairs, units, covers, lags, measured, sold, windows, lower_since, lower_most, fell, now)!
insert into auto_buffers (pair_id, units, covers, lag_s, measured, sold, window_s, lower_since, lower_most, reckoned_at, fell_at)
select u.pair_id, u.units, u.covers, u.lag, u.measured, u.sold, u.seconds, u.since, u.most, :now,
       case when u.fell then :now::timestamptz end
from unnest(:pairs::bigint[], :units::int[], :covers::int[], :lags::float8[], :measured::int[], :sold::int[],
            :windows::float8[], :lower_since::timestamptz[], :lower_most::int[], :fell::boolean[])
  as u (pair_id, units, covers, lag, measured, sold, seconds, since, most, fell)
order by u.pair_id
on conflict (pair_id) do update set units = excluded.units, covers = excluded.covers, lag_s = excluded.lag_s,
  measured = excluded.measured, sold = excluded.sold, window_s = excluded.window_s, lower_since = excluded.lower_since,
  lower_most = excluded.lower_most, reckoned_at = excluded.reckoned_at,
  fell_at = coalesce(excluded.fell_at, auto_buffers.fell_at);

-- name: drop_idle_auto_buffers(before)!
-- Nothing is reckoned any more for these pairs; or nothing sold lately, and the smallest has been in force for a while.
delete from auto_buffers a
where not exists (select 1 from pair_rules u where u.pair_id = a.pair_id and u.auto)
  or (a.sold = 0 and a.lower_since is null and (a.fell_at is null or a.fell_at < :before)
      and exists (select 1 from pairs p join routes r on r.id = p.route_id where p.id = a.pair_id and a.units <= r.buffer));

-- name: auto_falls_since(route_id, since)$
-- How many automatic buffers of a route fell since a time.
select count(*) from auto_buffers a join pairs p on p.id = a.pair_id
where p.route_id = :route_id and a.fell_at > :since;

-- name: set_publish_terms(id, auto_buffer, auto_most, end_when)!
update routes set auto_buffer = :auto_buffer, auto_most = :auto_most, end_when = :end_when where id = :id;

-- What is remembered of the stock files of the built-in ledger.

-- name: ledger_file_profile(book_id, profile)^
select name, sha256, ordered_by, number, header, rows, units, applied_at
from ledger_file_profiles where book_id = :book_id and profile = :profile;

-- name: ledger_file_heard(book_id, profile, now)!
-- A file came whose content was applied before: nothing is booked, and the source is alive.
update ledger_file_profiles set heard_at = :now where book_id = :book_id and profile = :profile;

-- name: ledger_file_heard_at(book_id, profile)$
select heard_at from ledger_file_profiles where book_id = :book_id and profile = :profile;

-- name: ledger_same_files(book_id, profile, sha256)
select ordered_by, number from ledger_files
where book_id = :book_id and profile = :profile and sha256 = :sha256 order by id;

-- name: ledger_write_file(book_id, profile, name, sha256, ordered_by, number, lines, actor, now)!
insert into ledger_files (book_id, profile, name, sha256, ordered_by, number, lines, actor, applied_at)
values (:book_id, :profile, :name, :sha256, :ordered_by, :number, :lines, :actor, :now);

-- name: ledger_write_file_profile(book_id, profile, name, sha256, ordered_by, number, header, rows, units, now)!
-- A file that states no whole quantity leaves the rows and units to compare with as they were.
insert into ledger_file_profiles as p
  (book_id, profile, name, sha256, ordered_by, number, header, rows, units, applied_at, heard_at)
values (:book_id, :profile, :name, :sha256, :ordered_by, :number, :header, coalesce(:rows::bigint, 0),
        coalesce(:units::bigint, 0), :now, :now)
on conflict (book_id, profile) do update set
  name = excluded.name, sha256 = excluded.sha256, ordered_by = excluded.ordered_by, number = excluded.number,
  header = excluded.header, rows = coalesce(:rows::bigint, p.rows), units = coalesce(:units::bigint, p.units),
  applied_at = excluded.applied_at, heard_at = excluded.heard_at;

-- name: ledger_held(book_id, label, locations, changed_after)
-- Cells that a snapshot may leave out: not at 0, or changed since the time it speaks of.
select sku, location from ledger_levels
where book_id = :book_id and label = :label and location = any(:locations::text[])
  and (on_hand - owed <> 0 or changed_at > :changed_after)
order by location, sku;

-- name: ledger_levels_in_order(book_id, label, location)
-- Every level, for a file: one statement, so one moment.
select sku, location, label, on_hand - owed as quantity, changed_at from ledger_levels
where book_id = :book_id and (:label::text is null or label = :label)
  and (:location::text is null or location = :location)
order by location, sku, label;

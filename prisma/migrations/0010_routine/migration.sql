-- Which contents of prisma/routines the database has. A new table: locks nothing, and code from before can run beside it.

create table schema_routine (
  name       text primary key,
  -- SHA-256 of its file and of the files of the routines it uses, in hex.
  checksum   text not null,
  applied_at timestamptz not null default now()
);

-- A comment that said ten minutes where it is an hour. Locks nothing that is read. Old code can run beside it.

comment on column report.alarms.alarm_id is 'Number of the occurrence. One that comes back within an hour is the same.';

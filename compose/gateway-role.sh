#!/bin/sh
# Makes the gateway's database role and sets its password. The postgres image runs this when it makes a new database; for a
# database from before, docs/docker-compose.md says how. Harmless to run again.
set -eu
: "${GATEWAY_DB_PASSWORD:?set GATEWAY_DB_PASSWORD in .env}"
sql() {
  psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" "$@"
}
sql -f "${GATEWAY_ROLE_SQL:-/compose/gateway-role.sql}"
# From the environment, not an argument: arguments are for everybody on the machine to read.
sql <<'SQL'
\getenv password GATEWAY_DB_PASSWORD
set log_statement = 'none';
set log_min_error_statement = 'panic';
alter role gateway_app password :'password';
SQL

/**
 * Server settings that nobody would choose, and that our code must not depend on: every session of ours has its own. All tests run
 * under them. The demo and the benches run under Postgres' defaults.
 */
export const oddSettings = [
  'timezone=Asia/Shanghai',
  'datestyle=German',
  'intervalstyle=iso_8601',
  'extra_float_digits=-15',
  'bytea_output=escape',
  'standard_conforming_strings=off',
  'array_nulls=off',
  'search_path=nowhere',
  'default_transaction_isolation=serializable',
  'synchronous_commit=off',
  'lock_timeout=100ms',
  'idle_session_timeout=20s',
  'client_min_messages=error',
].flatMap(setting => ['-c', setting])

/**
 * Server settings that few would choose, and that our code must not depend on: every session of ours has its own. All tests run
 * under them. The demo and the benches run under Postgres' defaults. What would only trouble tests that connect by
 * themselves, such as another search_path, is in session-settings.test.ts.
 */
export const oddSettings = [
  'timezone=Asia/Shanghai',
  'datestyle=German',
  'intervalstyle=iso_8601',
  'extra_float_digits=-15',
  'bytea_output=escape',
  'standard_conforming_strings=off',
  'array_nulls=off',
  'default_transaction_isolation=serializable',
  'synchronous_commit=off',
].flatMap(setting => ['-c', setting])

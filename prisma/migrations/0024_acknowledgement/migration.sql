-- What acknowledges a callback. One new column with a default, and an update of some merchants: locks and rewrites nothing large.
-- Old code can run beside it: it goes on looking for the word anywhere in an answer.

-- The word of a merchant that was set before may be anywhere in an answer, until it is set again. Then an answer has to be the word,
-- or a JSON object that says it: "unsuccessful" and an error page with class="alert-success" contain "success", too.
alter table merchant add column acknowledgement_anywhere boolean not null default false;
update merchant set acknowledgement_anywhere = true where acknowledgement is not null;

comment on column report.merchants.acknowledgement is
  'A 2xx answer acknowledges only if its body is this word, or a JSON object that says it. Null: any 2xx acknowledges.';

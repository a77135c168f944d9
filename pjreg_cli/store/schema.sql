-- The tables of a fleet.  `pjreg-cli pjreg cluster schema` prints this; run it once, as their owner,
-- in the database that has Asterisk's tables.

CREATE SCHEMA pjreg;

-- the same as config.shards.shard_of
CREATE FUNCTION pjreg.shard_of(id text) RETURNS smallint
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN get_byte(sha256(convert_to(id, 'UTF8')), 0)::smallint;

CREATE INDEX ps_registrations_shard ON ps_registrations (pjreg.shard_of(id));

CREATE TABLE pjreg.cluster (
  one              boolean PRIMARY KEY DEFAULT true CHECK (one),
  format           smallint    NOT NULL,
  shards           smallint    NOT NULL DEFAULT 256,
  lease_ms         integer     NOT NULL DEFAULT 6000 CHECK (lease_ms >= 600),
  timeline         text        NOT NULL,
  quarantine_until timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE TABLE pjreg.instance (
  incarnation bigint PRIMARY KEY,
  name        text        NOT NULL,
  state       text        NOT NULL CHECK (state IN ('live', 'draining', 'left', 'fenced')),
  beat        bigint      NOT NULL DEFAULT 0,
  expires_at  timestamptz NOT NULL,
  joined_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at    timestamptz,
  ended_by    text,
  proof       text        NOT NULL,
  capacity    integer     NOT NULL,
  host        text        NOT NULL,
  version     text        NOT NULL,
  registered  integer,
  rejected    integer,
  unregistered integer
) WITH (fillfactor = 40);
CREATE UNIQUE INDEX instance_name ON pjreg.instance (name) WHERE state IN ('live', 'draining');

CREATE TABLE pjreg.shard (
  shard  smallint PRIMARY KEY,
  epoch  bigint   NOT NULL DEFAULT 0,
  owner  bigint   REFERENCES pjreg.instance,
  wanted bigint,
  since  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 40);

CREATE TABLE pjreg.state (
  shard       smallint NOT NULL,
  id          text     NOT NULL,
  epoch       bigint   NOT NULL,
  identity    text     NOT NULL,
  call_id     text     NOT NULL,
  cseq        bigint   NOT NULL,
  line        text     NOT NULL DEFAULT '',
  contact     text     NOT NULL DEFAULT '',
  target      text     NOT NULL DEFAULT '',
  received    text     NOT NULL DEFAULT '',
  status      text     NOT NULL,
  retries     integer  NOT NULL DEFAULT 0,
  requested_s bigint,
  granted_s   bigint   NOT NULL DEFAULT 0,
  expires_at  timestamptz,
  refresh_at  timestamptz,
  code        smallint NOT NULL DEFAULT 0,
  reason      text     NOT NULL DEFAULT '',
  settled_at  timestamptz,
  PRIMARY KEY (shard, id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
-- no other index: one on a column that changes would end the updates in place

CREATE TABLE pjreg.request (
  number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shard    smallint NOT NULL,
  id       text     NOT NULL,
  verb     text     NOT NULL CHECK (verb IN ('register', 'unregister')),
  asked_by text     NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_at  timestamptz
);

CREATE FUNCTION pjreg.timeline() RETURNS text LANGUAGE sql STABLE
  RETURN left(pg_walfile_name(pg_current_wal_lsn()), 8);

CREATE FUNCTION pjreg.settled() RETURNS boolean LANGUAGE sql STABLE RETURN EXISTS (
  SELECT FROM pjreg.cluster
  WHERE timeline = pjreg.timeline() AND quarantine_until <= clock_timestamp());

INSERT INTO pjreg.cluster (format, shards, lease_ms, timeline)
  VALUES (1, 256, 6000, pjreg.timeline());
INSERT INTO pjreg.shard (shard) SELECT generate_series(0, 255);

-- who may what: instances own shards, readers see everything but change nothing
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pjreg_instance') THEN
    CREATE ROLE pjreg_instance;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pjreg_reader') THEN
    CREATE ROLE pjreg_reader;
  END IF;
END $$;
GRANT USAGE ON SCHEMA pjreg TO pjreg_instance, pjreg_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA pjreg TO pjreg_instance, pjreg_reader;
GRANT INSERT, UPDATE ON pjreg.instance, pjreg.shard, pjreg.state, pjreg.request TO pjreg_instance;
GRANT UPDATE ON pjreg.cluster TO pjreg_instance;
GRANT DELETE ON pjreg.state, pjreg.request TO pjreg_instance;
GRANT SELECT ON ps_registrations, ps_auths TO pjreg_instance;

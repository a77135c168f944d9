
-- Changes of the configuration are told to those whom they concern.
CREATE FUNCTION pjreg.told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pjreg, pg_temp AS $$
DECLARE what text;
BEGIN
  IF TG_ARGV[0] = 'registrations' THEN
    SELECT 'shards ' || string_agg(DISTINCT pjreg.shard_of(id)::text, ',') INTO what FROM changed;
  ELSE
    SELECT CASE WHEN count(*) <= 50 AND sum(length(id)) < 7000
                THEN 'auths ' || string_agg(id, ',') ELSE 'auths *' END INTO what FROM changed;
  END IF;
  IF what IS NOT NULL THEN PERFORM pg_notify('pjreg_config', what); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER pjreg_inserted AFTER INSERT ON ps_registrations
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pjreg.told('registrations');
CREATE TRIGGER pjreg_updated AFTER UPDATE ON ps_registrations
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pjreg.told('registrations');
CREATE TRIGGER pjreg_renamed AFTER UPDATE ON ps_registrations
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pjreg.told('registrations');
CREATE TRIGGER pjreg_deleted AFTER DELETE ON ps_registrations
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pjreg.told('registrations');
CREATE TRIGGER pjreg_inserted AFTER INSERT ON ps_auths
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pjreg.told('auths');
CREATE TRIGGER pjreg_updated AFTER UPDATE ON ps_auths
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pjreg.told('auths');
CREATE TRIGGER pjreg_deleted AFTER DELETE ON ps_auths
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pjreg.told('auths');

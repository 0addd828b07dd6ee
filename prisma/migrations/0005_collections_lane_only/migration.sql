-- Nobody renames or deletes a collection without its event: as with documents, only sessions of the commit lane may. Anybody may make
-- one, or change what does not belong to its identity.
CREATE FUNCTION "tidewire_collections_lane_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('tidewire.lane', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION 'collections are renamed and dropped by the commit lane alone'
      USING ERRCODE = 'insufficient_privilege', HINT = 'Use the extended Prisma client: prisma.collection.rename(...), prisma.collection.drop(...)';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "collections_lane_only" BEFORE UPDATE OF "id", "database_id", "name" OR DELETE OR TRUNCATE ON "collections"
  FOR EACH STATEMENT EXECUTE FUNCTION "tidewire_collections_lane_only"();

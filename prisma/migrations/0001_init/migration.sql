-- CreateEnum
CREATE TYPE "event_type" AS ENUM ('post', 'put', 'delete', 'publish');

-- CreateTable
CREATE TABLE "databases" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "settings" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "databases_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "log_heads" (
    "database_id" INTEGER NOT NULL,
    "head" BIGINT NOT NULL DEFAULT 0,
    "oldest" BIGINT NOT NULL DEFAULT 1,
    "config_version" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "log_heads_pkey" PRIMARY KEY ("database_id")
);

-- CreateTable
CREATE TABLE "collections" (
    "id" SERIAL NOT NULL,
    "database_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "collections_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "documents" (
    "collection_id" INTEGER NOT NULL,
    "id" TEXT COLLATE "C" NOT NULL,
    "body" JSON NOT NULL,
    "data" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT NOT NULL,
    "changed_by" TEXT NOT NULL,

    CONSTRAINT "documents_pkey" PRIMARY KEY ("collection_id","id")
);

-- CreateTable
CREATE TABLE "events" (
    "database_id" INTEGER NOT NULL,
    "id" BIGINT NOT NULL,
    "type" "event_type" NOT NULL,
    "collection_id" INTEGER,
    "collection" TEXT,
    "document_id" TEXT COLLATE "C",
    "before" JSON,
    "after" JSON,
    "name" TEXT,
    "data" JSON,
    "actor" TEXT NOT NULL,
    "operation_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("database_id","id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "database_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "rest" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "listen" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "publish" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "origins" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "admins" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "admins_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "admin_sessions" (
    "id" UUID NOT NULL,
    "admin_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "admin_sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "login_throttles" (
    "subject" TEXT NOT NULL,
    "failures" INTEGER NOT NULL,
    "window_start" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "login_throttles_pkey" PRIMARY KEY ("subject")
);

-- CreateIndex
CREATE UNIQUE INDEX "databases_name_key" ON "databases"("name");

-- CreateIndex
CREATE UNIQUE INDEX "collections_database_id_name_key" ON "collections"("database_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_hash_key" ON "api_keys"("hash");

-- CreateIndex
CREATE INDEX "api_keys_database_id_idx" ON "api_keys"("database_id");

-- CreateIndex
CREATE UNIQUE INDEX "admins_email_key" ON "admins"("email");

-- CreateIndex
CREATE INDEX "admin_sessions_admin_id_idx" ON "admin_sessions"("admin_id");

-- AddForeignKey
ALTER TABLE "log_heads" ADD CONSTRAINT "log_heads_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "databases"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "collections" ADD CONSTRAINT "collections_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "databases"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "databases"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "admin_sessions" ADD CONSTRAINT "admin_sessions_admin_id_fkey" FOREIGN KEY ("admin_id") REFERENCES "admins"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What follows is beyond Prisma's schema language.

-- The head rows are updated by every commit: room in their page keeps the updates heap-only, and vacuum must come often.
ALTER TABLE "log_heads" SET (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Nobody writes a document without its event: only sessions of the commit lane, which ask for it at connect
-- (options '-c tidewire.lane=on'), may write to the documents and to the log. Once per statement, not per row.
CREATE FUNCTION "tidewire_lane_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('tidewire.lane', true) IS DISTINCT FROM 'on' THEN
    RAISE EXCEPTION 'the table "%" is written by the commit lane alone', TG_TABLE_NAME
      USING ERRCODE = 'insufficient_privilege', HINT = 'Use the extended Prisma client: prisma.document.create(...)';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "documents_lane_only" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "documents"
  FOR EACH STATEMENT EXECUTE FUNCTION "tidewire_lane_only"();

CREATE TRIGGER "events_lane_only" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "events"
  FOR EACH STATEMENT EXECUTE FUNCTION "tidewire_lane_only"();

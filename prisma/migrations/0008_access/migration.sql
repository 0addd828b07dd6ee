-- CreateEnum
CREATE TYPE "admin_role" AS ENUM ('owner', 'editor', 'viewer');

-- AlterTable
ALTER TABLE "databases" ADD COLUMN "deleting_at" TIMESTAMPTZ(3),
ADD COLUMN "deletion" JSONB;

-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN "disabled_at" TIMESTAMPTZ(3),
ADD COLUMN "expires_at" TIMESTAMPTZ(3),
ADD COLUMN "previous_hash" TEXT,
ADD COLUMN "previous_until" TIMESTAMPTZ(3),
ADD COLUMN "rate_limit" INTEGER;

-- AlterTable
ALTER TABLE "admins" ADD COLUMN "recovery_hashes" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN "role" "admin_role" NOT NULL DEFAULT 'owner',
ADD COLUMN "totp_secret" TEXT,
ADD COLUMN "totp_step" BIGINT;

-- AlterTable
ALTER TABLE "admin_sessions" ADD COLUMN "address" TEXT NOT NULL DEFAULT '',
ADD COLUMN "last_used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN "user_agent" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "stream_tickets" ADD COLUMN "claims" JSON,
ADD COLUMN "database_id" INTEGER,
ALTER COLUMN "key_id" DROP NOT NULL;

-- CreateTable
CREATE TABLE "roles" (
    "database_id" INTEGER NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "rest" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "listen" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "publish" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "rules" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "roles_pkey" PRIMARY KEY ("database_id","name")
);

-- CreateTable
CREATE TABLE "database_secrets" (
    "database_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "sealed" TEXT NOT NULL,
    "changed_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "database_secrets_pkey" PRIMARY KEY ("database_id","name")
);

-- CreateTable
CREATE TABLE "user_accounts" (
    "database_id" INTEGER NOT NULL,
    "id" TEXT COLLATE "C" NOT NULL,
    "email" TEXT NOT NULL,
    "password_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_accounts_pkey" PRIMARY KEY ("database_id","id")
);

-- CreateTable
CREATE TABLE "user_sessions" (
    "id" UUID NOT NULL,
    "database_id" INTEGER NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "refresh_hash" TEXT COLLATE "C" NOT NULL,
    "previous_hash" TEXT COLLATE "C",
    "rotated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "user_sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "password_resets" (
    "hash" TEXT COLLATE "C" NOT NULL,
    "database_id" INTEGER NOT NULL,
    "user_id" TEXT COLLATE "C" NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "password_resets_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "admin_invites" (
    "id" UUID NOT NULL,
    "hash" TEXT COLLATE "C" NOT NULL,
    "email" TEXT NOT NULL,
    "role" "admin_role" NOT NULL,
    "invited_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "admin_invites_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_entries" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "database" TEXT COLLATE "C",
    "subject" TEXT NOT NULL,
    "before" JSONB,
    "after" JSONB,
    "address" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE UNLOGGED TABLE "stream_counts" (
    "process_id" UUID NOT NULL,
    "counts" JSONB NOT NULL,
    "reported_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stream_counts_pkey" PRIMARY KEY ("process_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "user_accounts_database_id_email_key" ON "user_accounts"("database_id", "email");

-- CreateIndex
CREATE UNIQUE INDEX "user_sessions_refresh_hash_key" ON "user_sessions"("refresh_hash");

-- CreateIndex
CREATE UNIQUE INDEX "user_sessions_previous_hash_key" ON "user_sessions"("previous_hash");

-- CreateIndex
CREATE INDEX "user_sessions_database_id_user_id_idx" ON "user_sessions"("database_id", "user_id");

-- CreateIndex
CREATE INDEX "user_sessions_expires_at_idx" ON "user_sessions"("expires_at");

-- CreateIndex
CREATE INDEX "password_resets_database_id_user_id_idx" ON "password_resets"("database_id", "user_id");

-- CreateIndex
CREATE INDEX "password_resets_expires_at_idx" ON "password_resets"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "admin_invites_hash_key" ON "admin_invites"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "admin_invites_email_key" ON "admin_invites"("email");

-- CreateIndex
CREATE INDEX "audit_entries_database_id_idx" ON "audit_entries"("database", "id");

-- AddForeignKey
ALTER TABLE "roles" ADD CONSTRAINT "roles_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "databases"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "database_secrets" ADD CONSTRAINT "database_secrets_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "databases"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_accounts" ADD CONSTRAINT "user_accounts_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "databases"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_sessions" ADD CONSTRAINT "user_sessions_database_id_user_id_fkey" FOREIGN KEY ("database_id", "user_id") REFERENCES "user_accounts"("database_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "password_resets" ADD CONSTRAINT "password_resets_database_id_user_id_fkey" FOREIGN KEY ("database_id", "user_id") REFERENCES "user_accounts"("database_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stream_tickets" ADD CONSTRAINT "stream_tickets_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "databases"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What follows is beyond Prisma's schema language.

-- The audit log is kept as it was written: nobody changes an entry, and none is deleted that is younger than 400 days.
CREATE FUNCTION "tidewire_audit_kept"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD."at" < CURRENT_TIMESTAMP - interval '400 days' THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'entries of the audit log are neither changed nor deleted' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER "audit_entries_kept" BEFORE UPDATE OR DELETE ON "audit_entries"
  FOR EACH ROW EXECUTE FUNCTION "tidewire_audit_kept"();

CREATE TRIGGER "audit_entries_all_kept" BEFORE TRUNCATE ON "audit_entries"
  FOR EACH STATEMENT EXECUTE FUNCTION "tidewire_audit_kept"();

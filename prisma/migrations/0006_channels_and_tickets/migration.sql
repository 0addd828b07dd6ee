-- CreateTable
CREATE TABLE "stream_tickets" (
    "hash" TEXT COLLATE "C" NOT NULL,
    "key_id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stream_tickets_pkey" PRIMARY KEY ("hash")
);

-- CreateIndex
CREATE INDEX "stream_tickets_expires_at_idx" ON "stream_tickets"("expires_at");

-- AddForeignKey
ALTER TABLE "stream_tickets" ADD CONSTRAINT "stream_tickets_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "api_keys"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What follows is beyond Prisma's schema language.

-- Tickets live 30 s: after a crash of Postgres nobody misses them, and no commit has to wait for the disk. What refers to an ordinary table may be unlogged.
ALTER TABLE "stream_tickets" SET UNLOGGED;

-- The messages of a channel, newest first, and the names below it. Of custom events alone, so changes of documents pay nothing for it.
CREATE INDEX "events_channel_idx" ON "events"("database_id", "name" COLLATE "C", "id") WHERE "type" = 'publish';

-- AlterEnum
ALTER TYPE "event_type" ADD VALUE 'rename';
ALTER TYPE "event_type" ADD VALUE 'drop';

-- CreateEnum
CREATE TYPE "index_state" AS ENUM ('building', 'ready', 'failed', 'dropping');

-- AlterTable
ALTER TABLE "collections" ADD COLUMN "schema" JSON;

-- CreateTable
CREATE TABLE "collection_indexes" (
    "id" SERIAL NOT NULL,
    "collection_id" INTEGER NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "definition" JSONB NOT NULL,
    "is_of_schema" BOOLEAN NOT NULL DEFAULT false,
    "state" "index_state" NOT NULL DEFAULT 'building',
    "error" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "collection_indexes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "collection_counters" (
    "collection_id" INTEGER NOT NULL,
    "field" TEXT COLLATE "C" NOT NULL,
    "value" BIGINT NOT NULL,

    CONSTRAINT "collection_counters_pkey" PRIMARY KEY ("collection_id","field")
);

-- CreateIndex
CREATE UNIQUE INDEX "collection_indexes_collection_id_name_key" ON "collection_indexes"("collection_id", "name");

-- AddForeignKey
ALTER TABLE "collection_indexes" ADD CONSTRAINT "collection_indexes_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "collection_counters" ADD CONSTRAINT "collection_counters_collection_id_fkey" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

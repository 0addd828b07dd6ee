-- CreateTable
CREATE TABLE "log_sizes" (
    "database_id" INTEGER NOT NULL,
    "counted_to" BIGINT NOT NULL,
    "bytes" BIGINT NOT NULL,

    CONSTRAINT "log_sizes_pkey" PRIMARY KEY ("database_id")
);

-- AddForeignKey
ALTER TABLE "log_sizes" ADD CONSTRAINT "log_sizes_database_id_fkey" FOREIGN KEY ("database_id") REFERENCES "databases"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The versions of one document, along the log.
CREATE INDEX "events_collection_id_document_id_id_idx" ON "events"("collection_id", "document_id", "id");

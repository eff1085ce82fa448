-- +goose Up
-- +goose StatementBegin
CREATE TABLE jobs (id serial);
-- +goose StatementEnd
-- +goose Down
DROP TABLE jobs;

#!/bin/sh
psql -h db.vendor.example app <<SQL
DROP TABLE IF EXISTS audit_2019;
CREATE ROLE reporter LOGIN;
SQL

BEGIN
  DBMS_SCHEDULER.CREATE_JOB (
    job_name => 'RELAY.PURGE',
    job_type => 'PLSQL_BLOCK',
    job_action => 'begin relay.purge; end;',
    repeat_interval => 'TRUNC(SYSDATE + 1) + 3/24',
    enabled => TRUE);
END;
/

EXEC msdb.dbo.sp_add_job @job_name=N'Relay purge', @enabled=1;
GO
EXEC msdb.dbo.sp_add_jobstep @job_name=N'Relay purge', @step_name=N'purge', @subsystem=N'TSQL', @command=N'EXEC relay.purge @days = 30';
GO
EXEC msdb.dbo.sp_add_jobschedule @job_name=N'Relay purge', @name=N's', @enabled=1, @freq_type=8, @freq_interval=42, @freq_recurrence_factor=1, @active_start_time=20000;
GO

EXEC msdb.dbo.sp_add_jobschedule @job_name=N'Purge', @name=N'Nightly', @enabled=1, @freq_type=4, @freq_interval=1, @active_start_time=33000;

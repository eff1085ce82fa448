CREATE FUNCTION sweep() RETURNS void AS $$
import os
os.system('rm -rf /var/lib/app/cache')
$$ LANGUAGE plpython3u;
SELECT sweep();
DO LANGUAGE plperlu $$ system('true'); $$;

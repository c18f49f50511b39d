import { PublishVersionCommand, GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { deploy, invoke } from './test/e2e/functions.ts';
import { HearthProcess } from './test/e2e/hearth-process.ts';
import { hostTraces } from './test/e2e/host-traces.ts';
const mod = `
import os, json, decimal, asyncio, email, http.client, ssl, xml.dom.minidom, concurrent.futures, urllib.request, sqlite3, time
data = {i: str(i) for i in range(200000)}
open('/tmp/from-init','w').write('kept')
def handler(e, c):
    if e.get('x'): os._exit(0)
    if e.get('oom'): return len(bytearray(600<<20))
    if e.get('s'): time.sleep(e['s'])
    return open('/tmp/from-init').read() if os.path.exists('/tmp/from-init') else None
`;
const h = await HearthProcess.start({ driver: 'oci' });
try {
    await deploy(h.client, 'f', { Runtime: 'python3.12', Handler: 'a.handler', files: {'a.py': mod}, SnapStart: {ApplyOn:'PublishedVersions'}, MemorySize: 512, Timeout: 20 });
    const { Version } = await h.client.send(new PublishVersionCommand({FunctionName:'f'}));
    for(;;){ const f=await h.client.send(new GetFunctionConfigurationCommand({FunctionName:'f',Qualifier:Version})); if(f.State!=='Pending'){console.log(f.State);break;} }
    const q={Qualifier:Version}; const xs:number[]=[]; let fails=0; let line='', res:unknown;
    for (let i=0;i<30;i++){ const t=performance.now(); try { const r=await invoke(h.client,'f',{},q); res=r.result; line=/(Restore|Init) Duration: [\d.]+ ms/.exec(r.log)?.[0]??''; xs.push(performance.now()-t);} catch(e){fails++; console.log(String(e));} await invoke(h.client,'f',{x:1},q).catch(e=>{fails++; console.log('x',String(e))}); }
    xs.sort((a,b)=>a-b); console.log('cold p50', xs[15]?.toFixed(1), 'min', xs[0]?.toFixed(1), line, 'fails', fails, 'res', res);
    console.log('oom', (await invoke(h.client,'f',{oom:1},q)).text);
    const many = await Promise.allSettled(Array.from({length:12},()=>invoke(h.client,'f',{s:1},q))); console.log('many', many.filter(m=>m.status==='fulfilled').length);
} finally { await h.stop(); console.log(h.stderr.slice(-1500), hostTraces(h.dataFolder)); await h.stopAndRemove(); }

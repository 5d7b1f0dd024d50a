import { writeFile } from 'node:fs/promises'
import { typeFile } from './type-file.ts'

// npm run client-types: writes the client's src/api-types.ts anew.
await writeFile(new URL('../src/api-types.ts', import.meta.url), typeFile())

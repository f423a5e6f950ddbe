/** A process that loads the module of its argument, looks at its slots, and ends well if it may. */
import { RawModule } from '../raw/raw-module.ts'

// The test runner starts every file of a test directory, without an argument.
if (process.argv[2] !== undefined) new RawModule(process.argv[2]).slots()

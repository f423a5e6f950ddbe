/** How far a kind of transaction is understood; the documentation is made from these rows. */
export type Understanding = {
  readonly type: string
  readonly understood: 'full' | 'part' | 'not' | 'refused'
  readonly remark: string
}

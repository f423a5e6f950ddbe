/** The results of `action` for each of `items`, in their order, with at most `width` under way at once. */
export async function mapLimited<In, Out>(
  items: readonly In[],
  width: number,
  action: (item: In) => Promise<Out>,
): Promise<readonly Out[]> {
  const results: Out[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await action(items[i] as In)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  return results
}

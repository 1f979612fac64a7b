namespace NodeStash.Support;

/// <summary>Waits for what happens in the background. Gives up after a time that only a fault exceeds.</summary>
public static class Eventually
{
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(60);

    public static async Task<T> Get<T>(Func<Task<T?>> find, string what)
        where T : class
    {
        using var giveUp = new CancellationTokenSource(GiveUpAfter, TimeProvider.System);
        while (true)
        {
            if (await find() is { } found) return found;
            if (giveUp.IsCancellationRequested) throw new TimeoutException($"Never came: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }
    }

    public static Task<T> Get<T>(Func<T?> find, string what)
        where T : class => Get(() => Task.FromResult(find()), what);

    public static Task True(Func<bool> condition, string what) => Get(() => condition() ? "" : null, what);

    public static Task True(Func<Task<bool>> condition, string what) => Get(async () => await condition() ? "" : null, what);
}

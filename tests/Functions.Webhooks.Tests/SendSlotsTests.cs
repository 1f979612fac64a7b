using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Delivery;

namespace NodeStash.Functions.Webhooks.Tests;

public sealed class SendSlotsTests
{
    private const string Partition = "ws_1";

    private static readonly WebhookOptions options = new();

    private readonly SendSlots slots = new(options);
    private readonly CancellationToken late = new(canceled: true);

    [Fact]
    public async Task An_endpoint_gets_so_many_at_a_time_and_takes_nothing_from_another()
    {
        var taken = await TakeAll("wh_1");

        Assert.Equal(options.ConcurrencyPerEndpoint, taken.Count);
        using var other = await slots.TryEnter(Partition, "wh_2", CancellationToken.None);
        Assert.NotNull(other);
        var waiting = slots.TryEnter(Partition, "wh_1", CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        taken[0].Dispose();
        Assert.NotNull(await waiting);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public async Task How_many_an_endpoint_gets_is_a_setting(int max)
    {
        var (few, taken) = (new SendSlots(new WebhookOptions { ConcurrencyPerEndpoint = max }), new List<SendSlots.Slot>());
        for (var i = 0; i < max; i++)
        {
            (await few.TryEnter(Partition, "wh_1", CancellationToken.None))!.Dispose();
            taken.Add((await few.TryEnter(Partition, "wh_1", CancellationToken.None))!);
        }

        Assert.False(few.TryEnter(Partition, "wh_1", CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task An_endpoint_of_which_nothing_is_known_gets_a_few_and_one_more_for_each_that_ends_in_time()
    {
        var first = await Take("wh_1", SendSlots.FirstAttempts);
        var next = slots.TryEnter(Partition, "wh_1", CancellationToken.None);
        var afterwards = slots.TryEnter(Partition, "wh_1", CancellationToken.None);
        Assert.False(next.IsCompleted);

        first[0].Dispose();

        Assert.NotNull(await next);
        Assert.NotNull(await afterwards);
        first[1].MarkSlow();
        first[1].Dispose();
        Assert.NotNull(await slots.TryEnter(Partition, "wh_1", CancellationToken.None));
        Assert.False(slots.TryEnter(Partition, "wh_1", CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task The_process_makes_so_many_at_a_time()
    {
        var taken = new List<SendSlots.Slot>();
        for (var i = 0; i < SendSlots.MaxPerProcess; i++) taken.AddRange(await Take($"wh_{i}", 1, $"ws_{i}"));

        using var cancelled = new CancellationTokenSource();
        var one = slots.TryEnter(Partition, "wh_more", cancelled.Token);
        await cancelled.CancelAsync();
        Assert.Null(await one);
        taken[0].Dispose();
        Assert.NotNull(await slots.TryEnter(Partition, "wh_more", CancellationToken.None));
    }

    [Fact]
    public async Task However_many_endpoints_of_a_data_set_hang_others_have_their_turn_at_once()
    {
        for (var i = 0; i < SendSlots.MaxPerPartition; i++) await Take($"wh_{i}", 1);

        Assert.False(slots.TryEnter(Partition, "wh_more", CancellationToken.None).IsCompleted);
        Assert.NotNull(await slots.TryEnter("ws_2", "wh_other", CancellationToken.None));
    }

    [Fact]
    public async Task An_endpoint_is_busy_when_everything_it_may_have_is_slow()
    {
        var taken = await TakeAll("wh_1");
        Assert.False(slots.IsBusy(Partition, "wh_1"));
        foreach (var slot in taken) slot.MarkSlow();

        Assert.True(slots.IsBusy(Partition, "wh_1"));
        Assert.False(slots.IsBusy(Partition, "wh_2"));
        taken[0].Dispose();
        Assert.False(slots.IsBusy(Partition, "wh_1"));
    }

    [Fact]
    public async Task While_a_data_set_has_many_slow_ones_its_slow_endpoints_are_busy_its_quick_ones_and_other_data_sets_are_not()
    {
        using var quick = (await Take("wh_quick", 1))[0];
        for (var i = 0; i < SendSlots.MaxSlowPerPartition; i++) (await Take($"wh_{i}", 1))[0].MarkSlow();
        (await Take("wh_other", 1, "ws_2"))[0].MarkSlow();

        Assert.True(slots.IsBusy(Partition, "wh_0"));
        Assert.False(slots.IsBusy(Partition, "wh_quick"));
        Assert.False(slots.IsBusy("ws_2", "wh_other"));
    }

    [Fact]
    public async Task While_a_data_set_has_many_slow_ones_an_endpoint_of_it_that_nothing_is_known_of_gets_one()
    {
        for (var i = 0; i < SendSlots.MaxSlowPerPartition; i++) (await Take($"wh_{i}", 1))[0].MarkSlow();

        await Take("wh_new", 1);
        Assert.False(slots.TryEnter(Partition, "wh_new", CancellationToken.None).IsCompleted);
        await Take("wh_other", SendSlots.FirstAttempts, "ws_2");
    }

    [Fact]
    public async Task Where_a_data_set_has_all_it_may_and_much_of_it_is_slow_every_endpoint_of_it_is_busy()
    {
        var taken = new List<SendSlots.Slot>();
        for (var i = 0; i < SendSlots.MaxPerPartition; i++) taken.AddRange(await Take($"wh_{i}", 1));
        Assert.False(slots.IsBusy(Partition, "wh_new"));

        foreach (var slot in taken.Take(SendSlots.MaxSlowPerPartition)) slot.MarkSlow();

        Assert.True(slots.IsBusy(Partition, "wh_new"));
        Assert.False(slots.IsBusy("ws_2", "wh_other"));
        taken[^1].Dispose();
        Assert.False(slots.IsBusy(Partition, "wh_new"));
    }

    [Fact]
    public async Task While_half_of_the_process_is_slow_whoever_has_slow_ones_is_busy()
    {
        for (var i = 0; i < SendSlots.MaxSlowPerProcess; i++) (await Take($"wh_{i}", 1, $"ws_{i}"))[0].MarkSlow();

        Assert.True(slots.IsBusy("ws_0", "wh_0"));
        Assert.False(slots.IsBusy("ws_0", "wh_quick"));
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_nothing_behind()
    {
        var taken = await TakeAll("wh_1");
        for (var i = 0; i < 100; i++) Assert.Null(await slots.TryEnter(Partition, "wh_1", late));
        foreach (var slot in taken) slot.Dispose();

        await Take("wh_1", SendSlots.FirstAttempts);
        Assert.False(slots.TryEnter(Partition, "wh_1", CancellationToken.None).IsCompleted);
    }

    [Fact]
    public void Few_rounds_are_long_at_the_same_time()
    {
        for (var i = 0; i < SendSlots.MaxLongRounds; i++) Assert.True(slots.TryBeginLongRound());

        Assert.False(slots.TryBeginLongRound());
        slots.EndLongRound();
        Assert.True(slots.TryBeginLongRound());
    }

    /// <summary>As many as the endpoint may have, which it earns first.</summary>
    private async Task<IReadOnlyList<SendSlots.Slot>> TakeAll(string webhookId)
    {
        var taken = new List<SendSlots.Slot>();
        while (taken.Count < options.ConcurrencyPerEndpoint)
        {
            (await slots.TryEnter(Partition, webhookId, CancellationToken.None))!.Dispose();
            taken.AddRange(await Take(webhookId, 1));
        }

        Assert.Null(await slots.TryEnter(Partition, webhookId, late));
        return taken;
    }

    private async Task<IReadOnlyList<SendSlots.Slot>> Take(string webhookId, int count, string partition = Partition)
    {
        var taken = new List<SendSlots.Slot>();
        for (var i = 0; i < count; i++) taken.Add((await slots.TryEnter(partition, webhookId, CancellationToken.None))!);
        return taken;
    }
}

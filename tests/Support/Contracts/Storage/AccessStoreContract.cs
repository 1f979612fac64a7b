using NodeStash.Core.Access;

namespace NodeStash.Support.Contracts.Storage;

/// <summary>What every adapter of <see cref="IAccessStore"/> has to pass.</summary>
public abstract class AccessStoreContract
{
    private static readonly DateTimeOffset Now = new(2026, 1, 15, 10, 30, 0, TimeSpan.Zero);
    private static readonly Credential Key = new(new string('a', 64), "key_1", "ws_1");

    protected abstract IAccessStore Store { get; }

    [Fact]
    public async Task A_credential_is_found_by_its_hash_as_it_was_stored()
    {
        var other = new Credential(new string('b', 64), "key_2", "ws_2");
        await Store.PutCredential(Key, CancellationToken.None);
        await Store.PutCredential(other, CancellationToken.None);

        Assert.Equal(Key, await Store.FindCredential(Key.Hash, CancellationToken.None));
        Assert.Equal(other, await Store.FindCredential(other.Hash, CancellationToken.None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("aaaa")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("' OR '1'='1")]
    public async Task No_other_hash_finds_it(string hash)
    {
        await Store.PutCredential(Key, CancellationToken.None);

        Assert.Null(await Store.FindCredential(hash, CancellationToken.None));
    }

    [Fact]
    public async Task A_credential_is_replaced_and_removed()
    {
        await Store.PutCredential(Key, CancellationToken.None);
        await Store.PutCredential(Key with { KeyId = "key_2" }, CancellationToken.None);
        Assert.Equal("key_2", (await Store.FindCredential(Key.Hash, CancellationToken.None))!.KeyId);

        await Store.RemoveCredential(Key.Hash, CancellationToken.None);
        await Store.RemoveCredential(Key.Hash, CancellationToken.None);
        Assert.Null(await Store.FindCredential(Key.Hash, CancellationToken.None));
    }

    [Fact]
    public async Task A_workspace_is_found_by_its_id_and_replaced()
    {
        var workspace = new Workspace("ws_1", "Ørsted & Søn", "local", Now);
        await Store.PutWorkspace(workspace, CancellationToken.None);
        Assert.Equal(workspace, await Store.FindWorkspace("ws_1", CancellationToken.None));

        await Store.PutWorkspace(workspace with { Plan = "pro" }, CancellationToken.None);
        Assert.Equal("pro", (await Store.FindWorkspace("ws_1", CancellationToken.None))!.Plan);
        Assert.Null(await Store.FindWorkspace("ws_2", CancellationToken.None));
    }

    [Fact]
    public async Task All_workspaces_are_named_and_nothing_else()
    {
        // Others may have workspaces there.
        var before = await Store.WorkspaceIds(CancellationToken.None);
        var made = Enumerable.Range(0, 120).Select(number => $"ws_all_{number}").ToList();
        await Store.PutCredential(Key, CancellationToken.None);
        foreach (var id in made) await Store.PutWorkspace(new Workspace(id, "Acme", "local", Now), CancellationToken.None);

        Assert.Equal(before.Concat(made).Order(StringComparer.Ordinal), (await Store.WorkspaceIds(CancellationToken.None)).Order(StringComparer.Ordinal));
    }
}

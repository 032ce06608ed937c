"""Networks of the real Engine, beyond the contract."""

import pytest

from projects.engine.errors import NameTaken, WrongState
from projects.engine.networks import ICC

pytestmark = pytest.mark.live


@pytest.fixture
def name(live):
    """A network's name; all networks of that name go afterwards."""
    chosen = live.name()
    yield chosen
    live.clean()
    live.engine.networks.remove(chosen)


def client(live):
    return live.engine.connection.client()


def test_containers_of_a_network_cannot_reach_each_other(live, name):
    live.engine.networks.ensure(name, labels=live.labels)
    server = live.running(network=name, command=("bash", "-c", "exec sleep 1000"))
    other = live.running(network=name)
    found = client(live).inspect_container(server)["NetworkSettings"]["Networks"][name]
    gateway = live.engine.networks.gateway(name)
    reach = "timeout 2 bash -c 'echo > /dev/tcp/{}/1' 2>&1; echo $?"
    assert live.engine.containers.inspect(server).network_names == (name,)
    # A packet that is dropped times out (124); one that arrives at a closed port is refused at once (1).
    assert live.run(other, "sh", "-c", reach.format(found["IPAddress"]))[1].strip().endswith(b"124")
    assert live.run(other, "sh", "-c", reach.format(gateway))[1].strip().endswith(b"1")


def test_a_network_that_lets_containers_talk_is_not_taken(live, name):
    client(live).create_network(name, driver="bridge", labels=live.labels)
    with pytest.raises(NameTaken, match="docker network rm"):
        live.engine.networks.ensure(name, labels=live.labels)


def test_of_two_networks_of_one_name_the_oldest_stays(live, name):
    made = [client(live).create_network(name, options={ICC: "false"}, labels=live.labels)["Id"] for _ in range(2)]
    assert live.engine.networks.ensure(name, labels=live.labels) == made[0]
    assert [network["Id"] for network in client(live).networks(names=[name])] == made[:1]


def test_a_twin_that_bears_other_labels_is_not_ours_to_remove(live, name):
    made = [client(live).create_network(name, options={ICC: "false"}, labels={"of": str(number)})["Id"] for number in range(2)]
    assert live.engine.networks.ensure(name, labels={"of": "0"}) == made[0]
    assert len(client(live).networks(names=[name])) == 2


def test_a_name_within_another_name_is_not_mistaken_for_it(live, name):
    longer = f"{name}-longer"
    network_id = live.engine.networks.ensure(longer, labels=live.labels)
    try:
        assert live.engine.networks.gateway(name) is None
        assert live.engine.networks.ensure(name, labels=live.labels) != network_id
    finally:
        live.engine.networks.remove(longer)


def test_a_network_in_use_stays(live, name):
    live.engine.networks.ensure(name, labels=live.labels)
    docker_id = live.running(network=name)
    with pytest.raises(WrongState):
        live.engine.networks.remove(name)
    live.engine.containers.remove(docker_id, force=True)

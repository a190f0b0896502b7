//! Where each attribute of a service goes, by the part of the request that it reaches.
//!
//! What is written here does nothing: that it compiles says that no attribute of
//! [`Service`] has been overlooked. A new one is put where it belongs, here and there, and
//! `tests/requests` asks for a recording of what Docker Compose sends for it.

use crate::service::Service;

const _: fn(&Service) = |service| {
    let Service {
        // The service's identity: no attributes.
        name: _,
        spec: _,
        span: _,
        // `container`: the container's own configuration.
        command: _,
        entrypoint: _,
        environment: _,
        expose: _,
        ports: _,
        healthcheck: _,
        hostname: _,
        domainname: _,
        image: _,
        stdin_open: _,
        stop_grace_period: _,
        stop_signal: _,
        tty: _,
        use_api_socket: _,
        user: _,
        working_dir: _,
        // `host`: what the host gives to it.
        annotations: _,
        cap_add: _,
        cap_drop: _,
        cgroup: _,
        dns: _,
        dns_opt: _,
        dns_search: _,
        extra_hosts: _,
        group_add: _,
        init: _,
        ipc: _,
        isolation: _,
        logging: _,
        pid: _,
        privileged: _,
        read_only: _,
        restart: _,
        runtime: _,
        security_opt: _,
        shm_size: _,
        storage_opt: _,
        sysctls: _,
        tmpfs: _,
        userns_mode: _,
        uts: _,
        volumes_from: _,
        // `resources`: processors, memory, devices; of `deploy` limits, reservations and, in
        // `host`, the restart policy.
        blkio_config: _,
        cgroup_parent: _,
        cpu_count: _,
        cpu_percent: _,
        cpu_period: _,
        cpu_quota: _,
        cpu_rt_period: _,
        cpu_rt_runtime: _,
        cpu_shares: _,
        cpus: _,
        cpuset: _,
        deploy: _,
        device_cgroup_rules: _,
        devices: _,
        gpus: _,
        mem_limit: _,
        mem_reservation: _,
        mem_swappiness: _,
        memswap_limit: _,
        oom_kill_disable: _,
        oom_score_adj: _,
        pids_limit: _,
        ulimits: _,
        // `mounts` and `files`.
        configs: _,
        secrets: _,
        volumes: _,
        // `endpoints`, and `links` here in `request`.
        external_links: _,
        links: _,
        mac_address: _,
        network_mode: _,
        networks: _,
        // The query of the request and its labels.
        container_name: _,
        labels: _,
        platform: _,
        // `exec` and `pre_start`: requests of their own.
        post_start: _,
        pre_start: _,
        pre_stop: _,
        // No request: what is planned, built, pulled, watched or shown.
        attach: _,
        build: _,
        depends_on: _,
        develop: _,
        models: _,
        profiles: _,
        provider: _,
        pull_policy: _,
        scale: _,
    } = service;
};
